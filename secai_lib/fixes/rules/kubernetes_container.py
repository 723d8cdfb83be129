"""Rights of Kubernetes containers -> fewer. One family: a value of `securityContext`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.kubernetes import Pod, below, in_pods, joined, read_pod
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weaken, Weakening
from secai_lib.fixes.yaml_edit import YamlValue, set_scalar
from secai_lib.fixes.yaml_tree import YamlPath

Propose = Callable[[Finding, Peers, SourceFiles], tuple[Proposal, ...]]
Setting = tuple[tuple[str, ...], YamlValue]

CONTEXT = "securityContext"
NO_CONTEXT = "CKV_K8S_30"
"""Checkov's rule that only asks for a context, whatever stands in it."""
_ESCALATION: Setting = (("allowPrivilegeEscalation",), False)
_DROP: Setting = (("capabilities", "drop"), ["ALL"])
_READ_ONLY: Setting = (("readOnlyRootFilesystem",), True)
_UNPRIVILEGED: Setting = (("privileged",), False)


@dataclass(frozen=True)
class _Kind:
    """One kind of fix: the setting, and what a reader has to know."""

    kind: str
    title: str
    explanation: str
    setting: Setting
    checkov: tuple[str, ...]
    trivy: tuple[str, ...] = ()
    restricted: bool = False
    """True when the Pod Security Standard `restricted` demands it; then both ways are offered."""


_KINDS = (
    _Kind(
        "kubernetes-privilege-escalation",
        "Do not let processes gain more rights than their parent",
        "A process in the container could gain root's rights through a setuid file. "
        "`allowPrivilegeEscalation: false` makes the kernel refuse that.\n\nWatch for: `sudo` "
        "and `ping` with a setuid bit no longer work inside.",
        _ESCALATION, ("CKV_K8S_20", "CKV_K8S_30"), ("KSV001", "KSV-0001", "AVD-KSV-0001"), True,
    ),
    _Kind(
        "kubernetes-drop-capabilities",
        "Take all Linux capabilities away",
        "A container gets some of root's rights by default, raw network packets among them. "
        "Dropping all leaves those that the manifest adds by name.\n\nWatch for: a process that "
        "starts as root and changes users, or listens below port 1024, needs that one back "
        "with `add`.",
        _DROP, ("CKV_K8S_28", "CKV_K8S_37"),
        ("KSV003", "KSV-0003", "AVD-KSV-0003", "KSV106", "KSV-0106", "AVD-KSV-0106"), True,
    ),
    _Kind(
        "kubernetes-read-only-filesystem",
        "Make the container's file system read-only",
        "Whoever breaks in cannot change programs or leave tools behind.\n\nWatch for: a program "
        "that writes outside of its volumes (`/tmp`, caches, logs) needs an `emptyDir` mounted "
        "there.",
        _READ_ONLY, ("CKV_K8S_22",), ("KSV014", "KSV-0014", "AVD-KSV-0014"),
    ),
    _Kind(
        "kubernetes-privileged",
        "Run the container without privileges on the node",
        "A privileged container can do on the node what root can.\n\nWatch for: if it needs one "
        "special right, add that one with `capabilities.add`.",
        _UNPRIVILEGED, ("CKV_K8S_16",), ("KSV017", "KSV-0017", "AVD-KSV-0017"),
    ),
)  # fmt: skip


def _propose_for(kind: _Kind) -> Propose:
    def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
        """The proposals for every container of the pod: this setting, and all of `restricted`."""
        pod = read_pod(finding, files)
        minimal: list[Edit] = []
        for path in _at_fault(pod, kind, finding.result.rule_id):
            _refuse_void(pod, path, kind)
            minimal += _settings(pod, path, [kind.setting])
        proposals = [proposal(kind.kind, kind.title, kind.explanation, minimal, "minimal")]
        complete = _restricted(pod) if kind.restricted else []
        if complete and sorted(complete, key=str) != sorted(joined(minimal), key=str):
            explanation = (
                f"{kind.explanation}\n\nThis way sets everything that the Pod Security Standard "
                "`restricted` asks of a container at once."
            )
            title = "Give the container the rights of the restricted standard"
            proposals.append(proposal(kind.kind, title, explanation, complete, "restricted"))
        return tuple(proposals)

    return propose


def _settings(pod: Pod, container: YamlPath, settings: Sequence[Setting]) -> list[Edit]:
    context = pod.at((*container, CONTEXT))
    if context is None or context.is_null:
        return pod.setting(container, (CONTEXT,), below(settings))
    edits: list[Edit] = []
    for keys, value in settings:
        if isinstance(value, list):
            edits += pod.list_item((*container, CONTEXT), keys, str(value[0]))
        else:
            edits += pod.setting((*container, CONTEXT), keys, value)
    return joined(edits)


def _at_fault(pod: Pod, kind: _Kind, rule_id: str) -> list[YamlPath]:
    """The containers that the finding can be about; the others keep what they have."""
    paths = pod.containers()
    if kind.setting is _UNPRIVILEGED:
        return [path for path in paths if pod.text((*path, CONTEXT, "privileged")) == "true"]
    if rule_id == NO_CONTEXT:
        contexts = [(path, pod.at((*path, CONTEXT))) for path in paths]
        return [path for path, node in contexts if node is None or node.is_null]
    return paths


def _restricted(pod: Pod) -> list[Edit]:
    """The edits of the whole standard; none where a container's own wishes contradict it."""
    edits: list[Edit] = []
    for path in pod.containers():
        if _privileged(pod, path):
            return []
        edits += _settings(pod, path, [_ESCALATION, _DROP])
    return joined(edits)


def _privileged(pod: Pod, container: YamlPath) -> bool:
    """True for a container that may do everything, whatever else is set."""
    added = pod.at((*container, CONTEXT, "capabilities", "add"))
    names = {item.text.upper().removeprefix("CAP_") for item in added.items} if added else set()
    marked = pod.text((*container, CONTEXT, "privileged")) == "true"
    return marked or bool(names & {"SYS_ADMIN", "ALL"})


def _refuse_void(pod: Pod, container: YamlPath, kind: _Kind) -> None:
    """Kubernetes refuses a privileged container that may not escalate; drops are void there."""
    if kind.setting in (_ESCALATION, _DROP) and _privileged(pod, container):
        raise Abstain(
            "privileged",
            "A container of the pod is privileged or adds SYS_ADMIN, which makes this setting "
            "void or invalid; take the privilege away first, then scan again.",
        )


def _weaken_for(kind: _Kind) -> Weaken:
    """The setting forgotten, or turned round, at each container that has it."""
    keys, value = kind.setting

    def places(pod: Pod) -> Iterator[Weakening]:
        for path in pod.containers():
            context = (*path, CONTEXT)
            if pod.at(context) is None:
                continue
            if isinstance(value, list):
                edits = _keep_some(pod, context)
            elif pod.text((*context, *keys)) == str(value).lower():
                edits = pod.setting(context, keys, not value)
                edits += (
                    [] if kind.setting is _UNPRIVILEGED else [pod.without(path, (CONTEXT, *keys))]
                )
            else:  # only what is dangerous when it is not forgotten
                edits = pod.setting(context, keys, True) if kind.setting is _UNPRIVILEGED else []
            for edit in edits:
                yield Weakening("checkov", kind.checkov[0], (edit,))

    return in_pods(places)


def _keep_some(pod: Pod, context: YamlPath) -> list[Edit]:
    """Dropping forgotten, or only something harmless dropped."""
    drop = pod.at((*context, "capabilities", "drop"))
    if drop is None or [item.text for item in drop.items] != ["ALL"]:
        return []
    some = set_scalar(pod.tree, (*context, "capabilities", "drop", 0), "SYS_TIME", pod.document)
    return [pod.without((*context[:-1],), (CONTEXT, "capabilities", "drop")), some]


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
