"""The pod of a Kubernetes manifest, and settings written into it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, SourceFiles
from secai_lib.core.syntax import language_of
from secai_lib.fixes.place import Place, place_of, refusable, whole
from secai_lib.fixes.rule import Abstain, Weaken, Weakening
from secai_lib.fixes.yaml_edit import YamlValue, insert_item, insert_key, remove_key, set_scalar
from secai_lib.fixes.yaml_tree import YamlNode, YamlPath, YamlRefused, YamlTree

_TEMPLATE = ("spec", "template", "spec")
_SPECS: dict[str, YamlPath] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Deployment": _TEMPLATE, "DaemonSet": _TEMPLATE, "StatefulSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE, "ReplicationController": _TEMPLATE, "Job": _TEMPLATE,
    "DeploymentConfig": _TEMPLATE,
}  # fmt: skip


@dataclass(frozen=True)
class Pod:
    """The pod that a finding is about."""

    place: Place
    """The file and the finding's lines."""
    tree: YamlTree
    """Its tree."""
    document: int
    """Which document of the file, from 0."""
    spec: YamlPath
    """Path of the pod's specification."""

    def at(self, path: YamlPath) -> YamlNode | None:
        """The node at `path`; None when absent."""
        return self.tree.at(path, self.document)

    def text(self, path: YamlPath) -> str:
        """The scalar at `path` as text; empty when absent."""
        node = self.at(path)
        return node.text if node is not None and node.kind == "scalar" else ""

    def containers(self, *, init: bool = True) -> list[YamlPath]:
        """The paths of the containers, the init containers too unless told otherwise."""
        keys = ("containers", "initContainers") if init else ("containers",)
        found: list[YamlPath] = []
        for key in keys:
            node = self.at((*self.spec, key))
            found += [(*self.spec, key, number) for number in range(len(node.items) if node else 0)]
        if not found:
            raise Abstain("not_found", "The manifest has no containers.")
        return found

    def setting(self, base: YamlPath, keys: Sequence[str], value: YamlValue) -> list[Edit]:
        """The edits that give `keys` below `base` the value; none when it has it already."""
        depth = len(keys)
        while depth and self.at((*base, *keys[:depth])) is None:
            depth -= 1
        path = (*base, *keys[:depth])
        if depth == len(keys):
            if self.text(path) == str(value).lower() or self.text(path) == str(value):
                return []
            return [refusable(set_scalar, self.tree, path, value, self.document)]
        for key in reversed(keys[depth + 1 :]):
            value = {key: value}
        return [refusable(insert_key, self.tree, path, keys[depth], value, document=self.document)]

    def without(self, base: YamlPath, keys: Sequence[str]) -> Edit:
        """The edit that removes `keys` below `base`, and the mappings that held nothing else."""
        depth = len(keys)
        while depth > 1:
            parent = self.at((*base, *keys[: depth - 1]))
            if parent is None or len(parent.entries) > 1:
                break
            depth -= 1
        return remove_key(self.tree, (*base, *keys[:depth]), self.document)

    def list_item(self, base: YamlPath, keys: Sequence[str], item: str) -> list[Edit]:
        """The edits after which the list at `keys` below `base` holds `item`."""
        node = self.at((*base, *keys))
        if node is None or node.is_null:
            return self.setting(base, keys, [item])
        if any(found.text.upper() == item for found in node.items):
            return []
        return [refusable(insert_item, self.tree, (*base, *keys), item, self.document)]


def in_pods(places: Callable[[Pod], Iterator[Weakening]]) -> Weaken:
    """The inverse of a rule for pods: `places` in every pod of a plain manifest."""

    def weaken(path: str, text: str) -> Iterator[Weakening]:
        if language_of(path) != "yaml" or "{{" in text:
            return
        tree = YamlTree.parse(path, text)
        for number, root in enumerate(tree.documents):
            kind = root.get("kind") if root is not None and root.get("apiVersion") else None
            spec = tree.at(_SPECS[kind.text], number) if kind and kind.text in _SPECS else None
            if kind is not None and spec is not None and spec.kind == "mapping":
                yield from places(Pod(whole(path, text), tree, number, _SPECS[kind.text]))

    return weaken


def read_pod(finding: Finding, files: SourceFiles) -> Pod:
    """The pod on the finding's lines; raises `Abstain` for what is no plain manifest."""
    place = place_of(finding, files)
    if "{{" in place.text:
        raise Abstain("template", f"{place.path} is a template; set the value in the template.")
    try:
        tree = YamlTree.parse(place.path, place.text)
    except YamlRefused as error:
        raise Abstain("syntax", str(error)) from error
    for number, root in enumerate(tree.documents):
        if root is None or root.kind != "mapping":
            continue
        last = tree.line_of(max(root.end - 1, root.start))
        if not root.line <= max(place.first, root.line if number == 0 else 0) <= last:
            continue
        kind = root.get("kind")
        spec = _SPECS.get(kind.text) if kind is not None else None
        if spec is None:
            raise Abstain("unknown_kind", "The finding is about no kind of object with a pod.")
        node = tree.at(spec, number)
        if node is None or node.kind != "mapping":
            raise Abstain("not_found", "The manifest has no pod specification.")
        return Pod(place, tree, number, spec)
    raise Abstain("not_found", "No object of the manifest stands on the finding's lines.")


def joined(edits: Iterable[Edit]) -> list[Edit]:
    """The edits with insertions at the same character made one."""
    found: dict[tuple[str, int, int], Edit] = {}
    for edit in edits:
        key = (edit.path, edit.start, edit.end)
        if key in found and edit.start == edit.end:
            text = found[key].replacement + edit.replacement
            edit = edit.model_copy(update={"replacement": text})
        found[key] = edit
    return list(found.values())


def below(sections: Sequence[tuple[Sequence[str], YamlValue]]) -> dict[str, YamlValue]:
    """One nested mapping of several settings: `(("a", "b"), 1)` is `{"a": {"b": 1}}`."""
    whole: dict[str, YamlValue] = {}
    for keys, value in sections:
        here = whole
        for key in keys[:-1]:
            inner = here.setdefault(key, {})
            assert isinstance(inner, dict)  # noqa: S101 - only we fill it
            here = inner
        here[keys[-1]] = value
    return whole
