"""A package with known weaknesses -> the version that ends all of them."""

from collections.abc import Sequence

from secai_lib.core.finding import (
    ADVISORY_TOOLS,
    ArchiveLocation,
    Finding,
    ImageLocation,
    NoLocation,
    Package,
)
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.fixes.advisory import version_order
from secai_lib.fixes.declarations import Declaration
from secai_lib.fixes.declarations_gradle import gradle_declarations
from secai_lib.fixes.declarations_npm import npm_declarations
from secai_lib.fixes.declared import Finder, finder_of
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import proposal
from secai_lib.fixes.rule import Abstain, FixRule
from secai_lib.fixes.versions import Choice, agreed_version, choose_version

KIND = "dependency-bump"
TITLE = "Use a version without the known weakness"
EXPLANATION = (
    "The installed version has a published weakness; the new one lies outside the affected "
    "versions of every advisory about this package in the scan."
)
_ANY = ("*",)
_ONLY_ADVISORIES = {"npm-audit", "osv-scanner", "pip-audit"}
"""Every rule of theirs is an advisory, also where its id is a bare number."""
_ADVISORY_IDS = (
    "CVE-*", "GHSA-*", "PYSEC-*", "OSV-*", "DLA-*", "DSA-*", "TEMP-*", "RUSTSEC-*", "GO-*",
    "NSWG-*", "RHSA-*", "ALAS*", "USN-*", "SNYK-*", "npm:*",
)  # fmt: skip
_SHOWN = 5
"""Advisories named in a text; the rest is counted."""


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposals `in_branch` and, where it differs, `latest_fixed`.

    Raises `Abstain` for packages of images, for transitive ones and without a fixed version.
    """
    package = finding.result.package
    if package is None:
        raise Abstain("no_package", "The finding names no package.")
    choice = _choice(finding, package, peers)
    path = finding.result.path
    if path is None:
        raise _not_in_a_file(finding, package, choice)
    finder, lock_note, constraint = _ecosystem(path, package, choice)
    places = finder(path, package.name, files)
    if files.read(path) is None and not places:
        raise Abstain("no_source", f"{path} cannot be read at the scanned commit; the version "
                      f"wanted is {choice.in_branch}.")  # fmt: skip
    places = _of_this_version(places, package)
    if not any(not place.generated for place in places):
        raise Abstain(
            "transitive",
            f"{package.name} {package.version} is not declared by hand; another package brings "
            f"it. Update that one, or add {constraint}.",
        )
    shared = {other for place in places for other in place.shared_with}
    versions = {
        approach: agreed_version(version, finding, shared, peers, approach)
        for approach, version in (
            ("in_branch", choice.in_branch),
            ("latest_fixed", choice.latest_fixed),
        )
    }
    if versions["latest_fixed"] == versions["in_branch"]:
        del versions["latest_fixed"]
    return tuple(
        proposal(
            KIND,
            f"Update {package.name} from {package.version} to {version}",
            _explain(package, choice, places, lock_note, version),
            _edits(places, version),
            approach,
        )
        for approach, version in versions.items()
    )


def _choice(finding: Finding, package: Package, peers: Peers) -> Choice:
    place = finding.result.location
    try:
        return choose_version(finding, peers)
    except Abstain as abstain:
        if isinstance(place, ImageLocation) and abstain.code == "unknown_ecosystem":
            fixed = ", ".join(package.fixed_versions)
            if not fixed:
                raise _no_fix_in_image(package) from abstain
            raise Abstain(
                "base_image",
                f"{package.name} {package.version} comes with the base image and is fixed in "
                f"{fixed}: rebuild on the newest image of the same tag.",
            ) from abstain
        if isinstance(place, ImageLocation) and abstain.code == "no_upstream_fix":
            raise _no_fix_in_image(package) from abstain
        raise


def _no_fix_in_image(package: Package) -> Abstain:
    return Abstain(
        "no_upstream_fix",
        f"The distribution has no fix for {package.name} {package.version} yet; watch for one, "
        "or use a base image without this package.",
    )


def _not_in_a_file(finding: Finding, package: Package, choice: Choice) -> Abstain:
    place = finding.result.location
    if isinstance(place, NoLocation):
        return Abstain(
            "no_place",
            f"The scanner does not say which file brings {package.name} {package.version}: set it "
            f"to {choice.in_branch} where your project declares it.",
        )
    if isinstance(place, ArchiveLocation):
        return Abstain(
            "built_artifact",
            f"{package.name} {package.version} is inside {place.archive}, which is built: set it "
            f"to {choice.in_branch} in the build file and build the image again.",
        )
    return Abstain(
        "base_image",
        f"{package.name} {package.version} comes with the image: rebuild on a base image with "
        f"{choice.in_branch} or later.",
    )


def _ecosystem(path: str, package: Package, choice: Choice) -> tuple[Finder, str, str]:
    """How declarations are found, what to do with lockfiles, and the constraint to add."""
    name = path.rsplit("/", 1)[-1].lower()
    wanted = f"{package.name}:{choice.in_branch}"
    finder = finder_of(path, package.ecosystem)
    if finder is gradle_declarations:
        return (
            finder,
            "The lockfile's lines for this version are changed with it; let Gradle write the "
            "rest: `./gradlew dependencies --write-locks`.",
            f'`constraints {{ implementation("{wanted}") }}` to the dependencies of the build '
            "file (for a plugin's tool: to that tool's configuration)",
        )
    if finder is npm_declarations:
        return (
            finder,
            "The lockfile is not changed, because its hashes need the registry: run "
            "`npm install` before you commit (`npm ci` refuses the old one).",
            f'`"overrides": {{"{package.name}": "{choice.in_branch}"}}` to package.json and run '
            "`npm install`",
        )
    if finder is not None:
        return (
            finder,
            "If there is a lockfile, refresh it with its tool.",
            f"`{package.name}>={choice.in_branch}` to the requirements or constraints",
        )
    raise Abstain(
        "unsupported_manifest",
        f"Versions in {name} are not edited here; set {package.name} to {choice.in_branch}.",
    )


def _of_this_version(places: list[Declaration], package: Package) -> list[Declaration]:
    """The places that hold the installed version, or a range that begins at or below it."""
    order = version_order(package.ecosystem)
    if order is None:
        return []
    found = []
    for place in places:
        try:
            at, installed = order(place.version), order(package.version)
        except (ValueError, TypeError, AttributeError):
            continue
        npm_or_python = not place.path.endswith((".gradle", ".kts", ".lockfile", ".properties",
                                                 "versions.toml"))  # fmt: skip
        if at == installed or (npm_or_python and at < installed):
            found.append(place)
    return found


def _edits(places: Sequence[Declaration], version: str) -> list[Edit]:
    return [
        Edit(path=place.path, start=place.start, end=place.end, replacement=version)
        for place in places
    ]


def _explain(
    package: Package, choice: Choice, places: Sequence[Declaration], lock_note: str, version: str
) -> str:
    shown = list(choice.advisories[:_SHOWN])
    if len(choice.advisories) > _SHOWN:
        shown.append(f"{len(choice.advisories) - _SHOWN} more")
    parts = [
        f"{package.name} {package.version} has published weaknesses ({', '.join(shown)}). "
        f"{version} lies outside the affected versions of all of them."
    ]
    shared = sorted({other for place in places for other in place.shared_with})
    if version not in choice.named and not shared:
        parts.append(
            "The advisories name this release in another platform's flavour; this is the one "
            "for yours."
        )
    if shared:
        parts.append(f"The same setting moves {', '.join(shared)}.")
    same_branch = package.version.split(".")[0] == version.split(".")[0]
    change = (
        "It stays in the same major version" if same_branch else "**It is another major version**"
    )
    parts.append(f"Watch for: {change}; read the release notes. {lock_note}")
    return "\n\n".join(parts)


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={tool: _ANY if tool in _ONLY_ADVISORIES else _ADVISORY_IDS for tool in ADVISORY_TOOLS},
    propose=propose,
    method=ProofMethod.ADVISORY,
)
