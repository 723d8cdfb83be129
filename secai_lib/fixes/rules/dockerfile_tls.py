"""Switched-off certificate checks in a Dockerfile -> switched on again."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import Place, place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.shell_edits import Flags, command_edits, cut, remove_words, without_flags
from secai_lib.fixes.shell_words import Command, all_commands, commands_of

KIND = "dockerfile-tls-verification"
TITLE = "Verify certificates in the image build"
EXPLANATION = (
    "Without certificate verification anybody on the network path can answer in the server's "
    "place and put their own files into the image. The switch that turned verification off is "
    "gone; nothing else changes.\n\n"
    "Watch for: a server with a private certificate authority now needs that authority's "
    "certificate in the image (`COPY ca.crt /usr/local/share/ca-certificates/`)."
)

_CURL_PLAIN = set("#0123456aBfgGiIjJlLnNOpqRsSvVZ")
"""curl's short options without an argument; one with an argument swallows what follows."""
_TLS_FLAGS = {
    "CKV2_DOCKER_3": Flags(("wget",), ("--no-check-certificate",)),
    "CKV2_DOCKER_4": Flags(("pip", "pip3"), ("--trusted-host",), takes_value=True),
}
_VARIABLES = {
    "CKV2_DOCKER_5": (("PYTHONHTTPSVERIFY",), "0", "1"),
    "CKV2_DOCKER_6": (("NODE_TLS_REJECT_UNAUTHORIZED",), "0", "1"),
    "CKV2_DOCKER_12": (("NPM_CONFIG_STRICT_SSL", "npm_config_strict_ssl"), "false", "true"),
    "CKV2_DOCKER_14": (("GIT_SSL_NO_VERIFY",), "", ""),
    "CKV2_DOCKER_16": (("PIP_TRUSTED_HOST",), "", ""),
}
"""Names, unsafe value, safe value; without values the variable must go."""


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that verifies certificates again."""
    rule = finding.result.rule_id
    dockerfile = read_dockerfile(place_of(finding, files))
    if rule in _VARIABLES:
        edits = _variable_edits(dockerfile, *_VARIABLES[rule])
    elif rule in _TLS_FLAGS:
        edits = command_edits(dockerfile, without_flags(_TLS_FLAGS[rule]))
    else:
        special = {"CKV2_DOCKER_2": _curl, "CKV2_DOCKER_13": _strict_ssl,
                   "CKV2_DOCKER_15": _sslverify}  # fmt: skip
        edits = command_edits(dockerfile, special[rule])
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _curl(place: Place, command: Command) -> list[Edit]:
    if command.program != "curl":
        return []
    found = []
    for word in command.arguments:
        text = word.plain
        if text == "--insecure":
            found.append(remove_words(place, word, word))
        elif text.startswith("-") and not text.startswith("--") and "k" in text:
            before = text[1 : text.index("k")]
            if not set(before) <= _CURL_PLAIN:
                continue
            rest = "-" + before + text[text.index("k") + 1 :]
            if rest == "-":
                found.append(remove_words(place, word, word))
            else:
                found.append(place.edit(word.start, word.end, rest))
    return found


def _strict_ssl(place: Place, command: Command) -> list[Edit]:
    if command.program not in ("npm", "yarn"):
        return []
    found = []
    for number, word in enumerate(command.arguments):
        name, joined, value = word.plain.partition("=")
        if name.strip("'\"") != "strict-ssl":
            continue
        if joined and value.strip("'\"") == "false":
            found.append(place.edit(word.start, word.end, "strict-ssl=true"))
        elif not joined and number + 1 < len(command.arguments):
            following = command.arguments[number + 1]
            if following.plain == "false":
                found.append(place.edit(following.start, following.end, "true"))
    return found


def _sslverify(place: Place, command: Command) -> list[Edit]:
    if command.program not in ("yum", "dnf", "yum-config-manager", "dnf-config-manager"):
        return []
    found = []
    for word in command.arguments:
        head, _, value = word.text.rpartition("=")
        quote = value[-1:] if value[-1:] in ("'", '"') else ""
        bare = value.strip("'\"").lower()
        if head.lower().endswith("sslverify") and bare in ("0", "false", "no"):
            safe = {"0": "1", "false": "true", "no": "yes"}[bare]
            lead = value[:1] if value[:1] in ("'", '"') else ""
            found.append(place.edit(word.start, word.end, f"{head}={lead}{safe}{quote}"))
    return found


def _variable_edits(
    dockerfile: Dockerfile, names: tuple[str, ...], unsafe: str, safe: str
) -> list[Edit]:
    edits: list[Edit] = []
    tree = dockerfile.tree
    for instruction in dockerfile.touched("ENV", "ARG"):
        nodes = instruction.node.children
        pairs = [n for n in nodes if n.type == "env_pair"] or [instruction.node]
        for pair in pairs:
            texts = [n for n in pair.children if n.type.endswith("string")]
            if len(texts) != 2 or tree.text_of(texts[0]) not in names:
                continue
            if safe:
                if tree.text_of(texts[1]).strip("'\"") == unsafe:
                    edits.append(
                        dockerfile.place.edit(tree.start(texts[1]), tree.end(texts[1]), safe)
                    )
            elif len(pairs) == 1:
                start = dockerfile.place.line_start(instruction.start)
                end = dockerfile.place.line_end(instruction.end)
                edits.append(dockerfile.place.edit(start, end, ""))
            else:
                start, end = tree.start(pair), tree.end(pair)
                edits.append(cut(dockerfile.place, start, end))
    for run in dockerfile.touched("RUN"):
        for command in commands_of(dockerfile, run) or ():
            edits += _assignment_edits(dockerfile.place, command, names, unsafe, safe)
    return edits


def _assignment_edits(
    place: Place, command: Command, names: tuple[str, ...], unsafe: str, safe: str
) -> list[Edit]:
    found = []
    for name, value in command.assignments:
        if name.text not in names:
            continue
        if safe and value.plain == unsafe:
            found.append(place.edit(value.start, value.end, safe))
        elif not safe and command.name.text == "export":
            raise Abstain("involved", f"Remove the export of {name.text} from the RUN by hand.")
        elif not safe:
            end = value.end
            while place.text[end : end + 1] in (" ", "\t"):
                end += 1
            found.append(place.edit(name.start, end, ""))
    return found


_OFF = {
    "curl": (("CKV2_DOCKER_2", " -k"), ("CKV2_DOCKER_2", " --insecure")),
    "wget": (("CKV2_DOCKER_3", " --no-check-certificate"),),
    "pip": (("CKV2_DOCKER_4", " --trusted-host pypi.org"),),
    "pip3": (("CKV2_DOCKER_4", " --trusted-host pypi.python.org"),),
}
"""Program -> rule and the option that switches the check off."""


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The option at each command that has one."""
    for _, command in all_commands(dockerfile):
        for rule, option in _OFF.get(command.program, ()):
            pip = command.program.startswith("pip")
            word = command.arguments[0] if pip and command.arguments else command.name
            if not pip or word.text == "install":
                edit = dockerfile.place.edit(word.end, word.end, option)
                yield Weakening("checkov", rule, (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV2_DOCKER_2", "CKV2_DOCKER_13", "CKV2_DOCKER_15", *_TLS_FLAGS, *_VARIABLES)
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
