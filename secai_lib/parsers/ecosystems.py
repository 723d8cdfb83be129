"""OSV's names of package ecosystems, from what scanners and lockfiles are called.

Names: https://ossf.github.io/osv-schema/#defined-ecosystems. Types: Trivy's
language analysers, Syft's package types, package URLs.
"""

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote

_BY_TYPE = {
    "Maven": "jar pom gradle gradle-lockfile sbt sbt-lockfile java maven java-archive "
    "jenkins-plugin",
    "npm": "npm yarn pnpm bun node-pkg javascript node.js",
    "PyPI": "pip pipenv poetry uv pylock python-pkg conda-pkg python pypi",
    "Go": "gomod gobinary go golang go-module",
    "crates.io": "cargo rustbinary rust-binary rust rust-crate",
    "Packagist": "composer composer-vendor php php-composer",
    "RubyGems": "bundler gemspec ruby gem",
    "NuGet": "nuget dotnet-core packages-props .net dotnet",
    "Pub": "pub dart dart-pub",
    "Hex": "hex mix-lock",
    "SwiftURL": "swift cocoapods",
    "ConanCenter": "conan conan-lock",
    "Ubuntu": "ubuntu",
    "Debian": "debian",
    "Alpine": "alpine",
    "Wolfi": "wolfi",
    "Chainguard": "chainguard",
    "Red Hat": "redhat rhel",
    "Rocky Linux": "rocky rockylinux",
    "AlmaLinux": "alma almalinux",
    "SUSE": "suse sles",
    "openSUSE": "opensuse opensuse-leap opensuse-tumbleweed",
    "Photon OS": "photon",
    "Mageia": "mageia",
}
_TYPES = {word: name for name, words in _BY_TYPE.items() for word in words.split()}
_BY_FILE = {
    "Maven": "pom.xml gradle.lockfile buildscript-gradle.lockfile build.gradle build.gradle.kts "
    "verification-metadata.xml libs.versions.toml",
    "npm": "package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock",
    "PyPI": "requirements.txt pipfile.lock poetry.lock uv.lock pdm.lock pyproject.toml pylock.toml",
    "Go": "go.mod go.sum",
    "crates.io": "cargo.lock cargo.toml",
    "Packagist": "composer.lock composer.json",
    "RubyGems": "gemfile.lock gems.locked",
    "NuGet": "packages.lock.json packages.config deps.json",
    "Pub": "pubspec.lock",
    "Hex": "mix.lock",
    "ConanCenter": "conan.lock",
}
_FILES = {word: name for name, words in _BY_FILE.items() for word in words.split()}
_ARCHIVES = {".jar": "Maven", ".war": "Maven", ".ear": "Maven", ".whl": "PyPI", ".egg": "PyPI"}
_OS_PURLS = {"deb", "rpm", "apk", "alpm"}
_OS_MARKS = (
    ("Ubuntu", re.compile(r"ubuntu")),
    ("Debian", re.compile(r"[+~]deb\d+u\d+")),
    ("Red Hat", re.compile(r"\.(?:el|fc)\d+")),
    ("Alpine", re.compile(r"-r\d+$")),
)


def of_type(kind: str) -> str:
    """The ecosystem of a scanner's package type; empty when unknown."""
    return _TYPES.get(kind.lower(), "")


def of_file(path: str) -> str:
    """The ecosystem of a lockfile, manifest or archive, by its whole name; empty when unknown."""
    name = posixpath.basename(path).lower()
    return _FILES.get(name) or _ARCHIVES.get(posixpath.splitext(name)[1], "")


def of_purl(purl: str) -> tuple[str, str]:
    """Ecosystem and package name of a package URL; both empty when it is none we know.

    `pkg:TYPE/NAMESPACE/NAME@VERSION?...`: for system packages the namespace is the distribution.
    https://github.com/package-url/purl-spec
    """
    scheme, _, rest = purl.partition(":")
    path = rest.partition("#")[0].partition("?")[0].lstrip("/")
    kind, _, path = path.partition("/")
    # An `@` before the last slash belongs to an npm scope, not to a version.
    folder, slash, last = path.rpartition("/")
    namespace, name = unquote(folder), unquote(last.partition("@")[0])
    if scheme != "pkg" or not name:
        return "", ""
    if kind.lower() in _OS_PURLS:
        return of_type(namespace), name
    joint = ":" if kind.lower() == "maven" else "/"
    return of_type(kind), f"{namespace}{joint}{name}" if slash else name


def is_archive(path: str) -> bool:
    """Whether `path` names an archive that carries packages (a jar, a wheel)."""
    return posixpath.splitext(path.lower())[1] in _ARCHIVES


def of_os_versions(versions: Iterable[str]) -> str:
    """The distribution whose mark most of one image's package `versions` carry; empty for none."""
    seen = list(versions)
    counts = {name: sum(1 for v in seen if mark.search(v)) for name, mark in _OS_MARKS}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""
