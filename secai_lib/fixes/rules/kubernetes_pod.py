"""Settings of a Kubernetes pod -> safer ones. One family: a value of the pod's specification."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.kubernetes import Pod, below, in_pods, joined, read_pod
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weaken, Weakening
from secai_lib.fixes.yaml_edit import YamlValue, insert_key

Propose = Callable[[Finding, Peers, SourceFiles], tuple[Proposal, ...]]
Refuse = Callable[[Pod], None]

CONTEXT = "securityContext"
UID = 10001
"""Above 10000, where no user of a node stands; checkov's own limit."""


@dataclass(frozen=True)
class _Kind:
    """One kind of fix: the setting, and what a reader has to know."""

    kind: str
    title: str
    explanation: str
    keys: tuple[str, ...]
    value: YamlValue
    refuse: Refuse
    checkov: tuple[str, ...]
    trivy: tuple[str, ...] = ()
    dangerous: bool = False
    """True when the weakness has to be asked for; else forgetting the setting is enough."""


def _not_as_root(pod: Pod) -> None:
    for path in (pod.spec, *pod.containers()):
        context = (*path, CONTEXT)
        if pod.text((*context, "runAsUser")) == "0":
            raise Abstain("runs_as_root", "The manifest asks for user 0; choose another first.")
        if path != pod.spec and pod.text((*context, "runAsNonRoot")) == "false":
            raise Abstain("runs_as_root", "A container asks to run as root; change that first.")


def _no_own_uid(pod: Pod) -> None:
    for path in pod.containers():
        if pod.at((*path, CONTEXT, "runAsUser")) is not None:
            raise Abstain(
                "own_user",
                "A container sets its own user, to whom files may belong; choose a number above "
                "10000 there and give it the files.",
            )


def _no_own_profile(pod: Pod) -> None:
    for path in (pod.spec, *pod.containers()):
        kind = pod.text((*path, CONTEXT, "seccompProfile", "type"))
        if kind == "Localhost" or (kind == "Unconfined" and path != pod.spec):
            raise Abstain("own_profile", "The manifest chooses a seccomp profile by itself.")


def _no_own_account(pod: Pod) -> None:
    for key in ("serviceAccountName", "serviceAccount"):
        if pod.text((*pod.spec, key)) not in ("", "default"):
            raise Abstain(
                "uses_api",
                "The pod has a service account of its own and probably talks to the cluster; if "
                "it does not, set automountServiceAccountToken: false.",
            )


def _anything(pod: Pod) -> None:
    pass


def _host(name: str, what: str) -> _Kind:
    checkov = {"hostPID": "CKV_K8S_17", "hostIPC": "CKV_K8S_18", "hostNetwork": "CKV_K8S_19"}
    number = {"hostPID": "10", "hostIPC": "08", "hostNetwork": "09"}[name]
    return _Kind(
        f"kubernetes-{name.lower().replace('host', 'host-')}",
        f"Give the pod {what} of its own",
        f"With `{name}` the pod shares the node's {what.removeprefix('a ')}, so that it can "
        "watch or disturb everything else on the node.\n\nWatch for: agents that look after the "
        "node itself need it.",
        (name,), False, _anything, (checkov[name],),
        (f"KSV0{number}", f"KSV-00{number}", f"AVD-KSV-00{number}"), True,
    )  # fmt: skip


_KINDS = (
    _Kind(
        "kubernetes-run-as-non-root",
        "Refuse to start the pod as root",
        "Root in the container is root on the node after a break-out. The node now refuses to "
        "start a container whose image says root.\n\nWatch for: an image without `USER`, or with "
        "a user by name, needs `runAsUser` with a number too.",
        (CONTEXT, "runAsNonRoot"), True, _not_as_root,
        ("CKV_K8S_23",), ("KSV012", "KSV-0012", "AVD-KSV-0012"),
    ),
    _Kind(
        "kubernetes-high-uid",
        "Run the pod as a user that no node has",
        "A number above 10000 belongs to no user of the node, so that a file of the node that "
        f"slips in belongs to somebody else.\n\nWatch for: files in the image or in volumes must "
        f"be readable for user {UID}; `fsGroup` helps with volumes.",
        (CONTEXT, "runAsUser"), UID, _no_own_uid,
        ("CKV_K8S_40",), ("KSV020", "KSV-0020", "AVD-KSV-0020"),
    ),
    _Kind(
        "kubernetes-seccomp",
        "Allow only the usual system calls",
        "The container runtime's own profile forbids some forty system calls that programs do "
        "not need and break-outs do.\n\nWatch for: debuggers and profilers inside the pod.",
        (CONTEXT, "seccompProfile", "type"), "RuntimeDefault", _no_own_profile,
        ("CKV_K8S_31", "CKV_K8S_29"), ("KSV030", "KSV-0030", "AVD-KSV-0030", "KSV104", "KSV-0104"),
    ),
    _Kind(
        "kubernetes-service-account-token",
        "Do not mount a token for the cluster",
        "Whoever breaks into the pod could talk to the cluster with the mounted token. A pod that "
        "never does needs none.\n\nWatch for: operators, and clients of the Kubernetes API.",
        ("automountServiceAccountToken",), False, _no_own_account,
        ("CKV_K8S_38",), ("KSV036", "KSV-0036", "AVD-KSV-0036"),
    ),
    _host("hostPID", "a list of processes"),
    _host("hostIPC", "a shared memory"),
    _host("hostNetwork", "a network"),
)  # fmt: skip

_RESTRICTED = (
    ((CONTEXT, "runAsNonRoot"), True),
    ((CONTEXT, "seccompProfile", "type"), "RuntimeDefault"),
)


def _propose_for(kind: _Kind) -> Propose:
    def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
        """The proposals: this setting, and all that `restricted` asks of a pod."""
        pod = read_pod(finding, files)
        kind.refuse(pod)
        minimal = pod.setting(pod.spec, kind.keys, kind.value)
        proposals = [proposal(kind.kind, kind.title, kind.explanation, minimal, "minimal")]
        if (kind.keys, kind.value) in _RESTRICTED:
            whole = _restricted(pod)
            if whole and whole != minimal:
                explanation = (
                    f"{kind.explanation}\n\nThis way sets everything that the Pod Security "
                    "Standard `restricted` asks of a pod at once."
                )
                title = "Give the pod the rights of the restricted standard"
                proposals.append(proposal(kind.kind, title, explanation, whole, "restricted"))
        return tuple(proposals)

    return propose


def _restricted(pod: Pod) -> list[Edit]:
    """All settings of the standard; none where one of them must not be touched."""
    try:
        _not_as_root(pod)
        _no_own_profile(pod)
    except Abstain:
        return []
    context = pod.at((*pod.spec, CONTEXT))
    if context is None or context.is_null:
        whole = below([(keys[1:], value) for keys, value in _RESTRICTED])
        return pod.setting(pod.spec, (CONTEXT,), whole)
    edits: list[Edit] = []
    for keys, value in _RESTRICTED:
        edits += pod.setting(pod.spec, keys, value)
    return joined(edits)


def _weaken_for(kind: _Kind) -> Weaken:
    """The setting forgotten, or a weak value given, at each pod that has it."""

    def places(pod: Pod) -> Iterator[Weakening]:
        edits: list[Edit] = []
        numbered = pod.at((*pod.spec, CONTEXT, "runAsUser")) is not None
        if numbered and kind.keys == (CONTEXT, "runAsNonRoot"):
            return  # a user by number is not root, whatever else is said
        if pod.text((*pod.spec, *kind.keys)) in (str(kind.value), str(kind.value).lower()):
            edits = pod.setting(pod.spec, kind.keys, _WEAK.get(kind.value, True))
            edits += [] if kind.dangerous else [pod.without(pod.spec, kind.keys)]
        elif kind.dangerous:
            first = "containers"
            edits = [
                insert_key(pod.tree, pod.spec, kind.keys[0], True, before=first,
                           document=pod.document)
            ]  # fmt: skip
        for edit in edits:
            yield Weakening("checkov", kind.checkov[0], (edit,))

    return in_pods(places)


_WEAK: dict[YamlValue, YamlValue] = {True: False, UID: 1000, "RuntimeDefault": "Unconfined"}
"""Good value -> weak value, where it is not `true`."""


RULES = tuple(
    FixRule(
        kind=kind.kind,
        title=kind.title,
        explanation=kind.explanation,
        handles={"checkov": kind.checkov, "trivy": kind.trivy},
        propose=_propose_for(kind),
        weaken=_weaken_for(kind),
    )
    for kind in _KINDS
)
