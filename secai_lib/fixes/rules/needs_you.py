"""Findings whose fix needs a number, a name or a decision of yours: what to do."""

from fnmatch import fnmatchcase

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, plain_rule_id

KIND = "needs-you"
_NUMBERS, _NAME, _DESIGN = "needs_numbers", "needs_name", "needs_design"

_ADVICE: dict[str, tuple[tuple[tuple[str, ...], str, str], ...]] = {
    "checkov": (
        (("CKV_K8S_10", "CKV_K8S_11", "CKV_K8S_12", "CKV_K8S_13"), _NUMBERS,
         "Measure what the container needs (`kubectl top pod`) and set resources.requests and "
         "resources.limits from it."),
        (("CKV_K8S_8", "CKV_K8S_9"), _NAME,
         "Name the path and port that show that the service is alive and ready, and set "
         "livenessProbe and readinessProbe."),
        (("CKV_K8S_14", "CKV_K8S_43", "CKV_DOCKER_7"), _NAME,
         "Choose the image's version, look up its digest (`docker buildx imagetools inspect "
         "IMAGE`) and write IMAGE:VERSION@sha256:DIGEST."),
        (("CKV_K8S_21",), _NAME, "Choose a namespace for the product and set metadata.namespace."),
        (("CKV_K8S_25", "CKV_K8S_39"), _DESIGN,
         "Find out which added capability the program needs, and remove the others from "
         "capabilities.add."),
        (("CKV_K8S_26",), _DESIGN,
         "Use a Service of type NodePort or LoadBalancer instead of hostPort, if the port must "
         "be reachable from outside."),
        (("CKV_K8S_27",), _DESIGN,
         "Do not mount the Docker socket; build images with a builder that needs none."),
        (("CKV_K8S_35",), _DESIGN,
         "Mount the secret as a file and let the program read it from there; environment "
         "variables end up in logs and child processes."),
        (("CKV_K8S_41", "CKV_K8S_42"), _NAME,
         "Make a service account for the program and bind its role to that one."),
        (("CKV_DOCKER_5",), _DESIGN,
         "Put the update and the install into one RUN, so that both are cached together."),
        (("CKV2_K8S_6",), _NAME,
         "Write a NetworkPolicy that lets in and out only what the pod talks to; only you know "
         "the peers."),
        (("CKV_GHA_7",), _DESIGN,
         "Build from the commit alone; if the input must stay, allow a fixed list of values "
         "(`type: choice`)."),
        (("CKV_DOCKER_11",), _NAME, "Give every build stage a name of its own."),
        (("CKV2_DOCKER_17",), _DESIGN,
         "Do not set passwords in an image; everybody with the image can read them."),
    ),
    "semgrep": (
        (("secai.kotlin.cors-any-host", "secai.typescript.cors-any-origin"), _NAME,
         "Name the sites whose scripts may read the answers; only you know them."),
        (("secai.kotlin.sql-string-template",), _DESIGN,
         "Use a prepared statement: `?` in the text and setString and the like for the values."),
        (("secai.typescript.eval-of-value",), _DESIGN,
         "Parse the text (JSON.parse), or choose from a fixed list of functions."),
        (("secai.typescript.exec-of-value",), _DESIGN,
         "Use execFile with the program and a list of arguments; check where the value may lead."),
    ),
    "bandit": (
        (("B101",), _DESIGN,
         "`python -O` removes assertions; raise an exception where the check protects something."),
        (("B404",), _DESIGN,
         "The import alone is no weakness: look at the calls that are reported on their own, and "
         "mark this one as a false alarm if they are safe."),
        (("B603",), _DESIGN,
         "A list of arguments without a shell is the safe form already: check that no argument "
         "which others choose can begin with `-` or name another program, then mark it as safe."),
        (("B607",), _NAME,
         "Name the program by its full path on the machines it runs on, so that PATH cannot "
         "choose another one."),
        (("B104",), _NAME, "Bind to the address the clients use instead of all."),
        (("B307",), _DESIGN,
         "Use ast.literal_eval for constants, or a parser for the format; never eval."),
        (("B608",), _DESIGN, "Hand the values to the database driver as parameters."),
        (("B615",), _NAME, "Name the commit of the model or data set with `revision=`."),
    ),
    "zizmor": (
        (("dangerous-triggers",), _DESIGN,
         "Use `pull_request` where the job needs no secret; else keep the code of the pull "
         "request out of the job, and do the part that needs rights in a second workflow."),
        (("secrets-inherit",), _NAME,
         "Name the secrets that the called workflow reads under `secrets:` instead of `inherit`."),
        (("cache-poisoning",), _DESIGN,
         "Do not restore caches in a workflow that publishes: others can fill them."),
        (("superfluous-actions",), _DESIGN,
         "Do it with the tools of the runner (`run:`), so that one action less has to be trusted."),
        (("unpinned-images",), _NAME,
         "Look the image's digest up and write IMAGE:VERSION@sha256:DIGEST."),
    ),
    "zap": (
        (("10021*", "10020*", "10035*", "10038*", "10063*", "90004*"), _DESIGN,
         "Let the server send the missing header with every answer (in Ktor the plugin "
         "DefaultHeaders, in Express `helmet`), then scan again."),
        (("10049*",), _DESIGN,
         "Send `Cache-Control: no-store` with answers that hold personal data; public files may "
         "stay cacheable."),
        (("90005*",), _DESIGN,
         "The scanner's own requests lack this header; refuse foreign sites by `Sec-Fetch-Site` "
         "on the server if that is wanted, else mark it as a false alarm."),
        (("40018*",), _DESIGN,
         "Hand the values to the database as parameters; the route's handler is where to begin."),
        (("40040*",), _NAME, "Name the sites whose scripts may read the answers."),
    ),
}  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """Never a proposal: raises `Abstain` with what to do."""
    rule_id = plain_rule_id(finding.result.rule_id)
    for patterns, code, advice in _ADVICE.get(finding.result.tool, ()):
        if any(fnmatchcase(rule_id, pattern) for pattern in patterns):
            raise Abstain(code, advice)
    raise Abstain("no_rule", "There is no fix rule for this.")


RULE = FixRule(
    kind=KIND,
    title="Say what only you can decide",
    explanation="The fix needs a number, a name or a decision that does not stand in the code.",
    handles={
        tool: tuple(pattern for patterns, _, _ in rows for pattern in patterns)
        for tool, rows in _ADVICE.items()
    },
    propose=propose,
)
