"""imagePullPolicy of Kubernetes containers -> Always."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.kubernetes import Pod, in_pods, read_pod
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import proposal
from secai_lib.fixes.rule import FixRule, Weakening

KIND = "kubernetes-pull-policy"
TITLE = "Ask the registry for the image at every start"
EXPLANATION = (
    "Without `Always` a pod may start an image that is already on the node, without showing "
    "the registry that it may have it, and an old one under the same tag.\n\n"
    "Watch for: starts fail while the registry is away; images that exist on the node only "
    "(`kind load`, `minikube`) no longer start."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal for every container whose image has no digest."""
    pod = read_pod(finding, files)
    edits: list[Edit] = []
    for path in pod.containers():
        image = pod.text((*path, "image"))
        if image and "@" not in image:
            edits += pod.setting(path, ("imagePullPolicy",), "Always")
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _weaken(pod: Pod) -> Iterator[Weakening]:
    """The policy forgotten, or another one, at each container."""
    for path in pod.containers():
        if pod.text((*path, "imagePullPolicy")) == "Always" and "@" not in pod.text(
            (*path, "image")
        ):
            for edit in (
                pod.without(path, ("imagePullPolicy",)),
                *pod.setting(path, ("imagePullPolicy",), "IfNotPresent"),
            ):
                yield Weakening("checkov", "CKV_K8S_15", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"checkov": ("CKV_K8S_15",)},
    propose=propose,
    weaken=in_pods(_weaken),
)
