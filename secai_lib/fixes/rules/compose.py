"""Services of a Compose file with too many rights -> fewer."""

import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import Place, place_of, proposal, refusable
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.witness import yaml_witness
from secai_lib.fixes.yaml_edit import insert_item, insert_key, remove_key, set_scalar
from secai_lib.fixes.yaml_tree import YamlNode, YamlPath, YamlRefused, YamlTree

PRIVILEGED = (
    "A privileged container can do on the host what root can. The service now has the usual "
    "rights of a container.\n\nWatch for: if it needs one special right, add that one with "
    "`cap_add` or `devices`."
)
NO_NEW = (
    "A program in the container could gain root's rights through a file with the setuid bit. "
    "`no-new-privileges` makes the kernel refuse that.\n\nWatch for: `sudo` and `su` no longer "
    "work inside the container."
)
PORT = (
    "Docker opens a published port on every network of the host and past its firewall. It is "
    "now open on the host itself only.\n\nWatch for: other machines no longer reach the port; "
    "put a reverse proxy in front, or name the address they use."
)
_OPTION = "no-new-privileges:true"
_LOCAL = "127.0.0.1:"
_PUBLISHED = re.compile(r"(?:0\.0\.0\.0:)?(\d[\d-]*):\d[\d-]*(?:/(?:tcp|udp))?\Z")
COMPOSE_FILE = re.compile(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml\Z")
_FRONT_DOORS = ("80", "443")


def propose_privileged(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that takes `privileged` away."""
    place, tree = _compose(finding, files)
    edits = []
    for path, node in tree.walk():
        privileged = len(path) == 3 and path[0] == "services" and path[2] == "privileged"
        if privileged and node.text == "true" and place.first <= node.line <= place.last:
            edits.append(refusable(set_scalar, tree, path, False))
    title = "Run the service without privileges on the host"
    return (proposal("compose-privileged", title, PRIVILEGED, edits),)


def propose_no_new_privileges(
    finding: Finding, peers: Peers, files: SourceFiles
) -> tuple[Proposal, ...]:
    """The proposal that adds `no-new-privileges` to the service."""
    place, tree = _compose(finding, files)
    services = tree.at(("services",))
    edits: list[Edit] = []
    for key, service in services.entries if services else ():
        if not place.first <= key.line <= place.last or service.kind != "mapping":
            continue
        at: YamlPath = ("services", key.text)
        options = service.get("security_opt")
        if options is None:
            edits.append(refusable(insert_key, tree, at, "security_opt", [_OPTION]))
        elif not any(item.text.startswith("no-new-privileges") for item in options.items):
            edits.append(refusable(insert_item, tree, (*at, "security_opt"), _OPTION))
        else:
            raise Abstain("decided", f"The service {key.text} sets no-new-privileges itself.")
    title = "Let the service gain no new privileges"
    return (proposal("compose-no-new-privileges", title, NO_NEW, edits),)


def propose_port(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that publishes on the host only; abstains for the web's own ports."""
    place, tree = _compose(finding, files)
    edits = []
    for path, node in tree.walk():
        if not _is_port(path) or not place.first <= node.line <= place.last:
            continue
        edits.append(_local_port(place, node))
    title = "Publish the port on the host itself only"
    return (proposal("compose-port-binding", title, PORT, edits),)


def propose_socket(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """Never a proposal: the service would stop working."""
    raise Abstain(
        "needs_design",
        "The service uses the Docker socket, which is root on the host. Put a socket proxy that "
        "allows only the calls it needs in between, or do the work outside of the container.",
    )


def _compose(finding: Finding, files: SourceFiles) -> tuple[Place, YamlTree]:
    place = place_of(finding, files)
    try:
        return place, YamlTree.parse(place.path, place.text)
    except YamlRefused as error:
        raise Abstain("syntax", str(error)) from error


def _is_port(path: YamlPath) -> bool:
    return len(path) == 4 and path[0] == "services" and path[2] == "ports"


def _local_port(place: Place, node: YamlNode) -> Edit:
    match = _PUBLISHED.match(node.text)
    if node.kind != "scalar" or node.alias or node.anchor or not match:
        raise Abstain("involved", f"The port on line {node.line} is not in the short form.")
    if match[1] in _FRONT_DOORS:
        raise Abstain(
            "public_port",
            f"Port {match[1]} is the web's own and probably meant to be public; if not, "
            f"publish it as {_LOCAL}{match[1]}.",
        )
    start = node.start + len(node.style)
    end = start + (len("0.0.0.0:") if node.text.startswith("0.0.0.0:") else 0)
    return place.edit(start, end, _LOCAL)


def _only_privileged(path: YamlPath, old: str | None, new: str | None) -> bool:
    return path[2:] == ("privileged",) and (old, new) == ("bool:true", "bool:false")


def _only_option(path: YamlPath, old: str | None, new: str | None) -> bool:
    return path[2:3] == ("security_opt",) and old is None and new == f"str:{_OPTION}"


def _only_port(path: YamlPath, old: str | None, new: str | None) -> bool:
    if not _is_port(path) or old is None or new is None:
        return False
    bare = old.partition(":")[2].removeprefix("0.0.0.0:")
    return new == f"str:{_LOCAL}{bare}"


def _services(path: str, text: str) -> Iterator[tuple[YamlTree, YamlPath, YamlNode]]:
    """Path and mapping of every service of a Compose file; none of any other file."""
    if not COMPOSE_FILE.search(path):
        return
    tree = YamlTree.parse(path, text)
    services = tree.at(("services",))
    for key, service in services.entries if services else ():
        if service.kind == "mapping" and not service.alias:
            yield tree, ("services", key.text), service


def _weaken_privileged(path: str, text: str) -> Iterator[Weakening]:
    """The privilege given, where it is refused by name."""
    for tree, at, service in _services(path, text):
        said = service.get("privileged")
        if said is not None and said.text == "false":
            edit = set_scalar(tree, (*at, "privileged"), True)
            yield Weakening("semgrep", "secai.compose.privileged", (edit,))


def _weaken_no_new(path: str, text: str) -> Iterator[Weakening]:
    """The option forgotten."""
    for tree, at, service in _services(path, text):
        options = service.get("security_opt")
        if options is not None and [item.text for item in options.items] == [_OPTION]:
            edit = remove_key(tree, (*at, "security_opt"))
            yield Weakening("semgrep", "secai.compose.new-privileges-allowed", (edit,))


def _weaken_port(path: str, text: str) -> Iterator[Weakening]:
    """The port published on every network."""
    for tree, _, service in _services(path, text):
        listed = service.get("ports")
        for item in listed.items if listed else ():
            at = item.start + len(item.style)
            if item.text.startswith(_LOCAL) and tree.text.startswith(_LOCAL, at):
                for open_to_all in ("", "0.0.0.0:"):
                    edit = Edit(path=path, start=at, end=at + len(_LOCAL), replacement=open_to_all)
                    rule = "secai.compose.port-on-all-interfaces"
                    yield Weakening("semgrep", rule, (edit,))


RULES = (
    FixRule(
        kind="compose-privileged",
        title="Run the service without privileges on the host",
        explanation=PRIVILEGED,
        handles={"semgrep": ("secai.compose.privileged",)},
        propose=propose_privileged,
        method=ProofMethod.OWN_RULE,
        witness=yaml_witness(_only_privileged),
        weaken=_weaken_privileged,
    ),
    FixRule(
        kind="compose-no-new-privileges",
        title="Let the service gain no new privileges",
        explanation=NO_NEW,
        handles={"semgrep": ("secai.compose.new-privileges-allowed",)},
        propose=propose_no_new_privileges,
        method=ProofMethod.OWN_RULE,
        witness=yaml_witness(_only_option),
        weaken=_weaken_no_new,
    ),
    FixRule(
        kind="compose-port-binding",
        title="Publish the port on the host itself only",
        explanation=PORT,
        handles={"semgrep": ("secai.compose.port-on-all-interfaces",)},
        propose=propose_port,
        method=ProofMethod.OWN_RULE,
        witness=yaml_witness(_only_port),
        weaken=_weaken_port,
    ),
    FixRule(
        kind="compose-docker-socket",
        title="Do not hand the Docker socket to a service",
        explanation="The Docker socket is root on the host; what to use instead depends on use.",
        handles={"semgrep": ("secai.compose.docker-socket",)},
        propose=propose_socket,
    ),
)
