"""Package URLs as ecosystem and name."""

import pytest

from secai_lib.parsers.ecosystems import of_purl


@pytest.mark.parametrize(
    ("purl", "ecosystem", "name"),
    [
        ("pkg:maven/org.example/codec@1.4.0?type=jar", "Maven", "org.example:codec"),
        ("pkg:npm/%40example/leftover@1.0.0", "npm", "@example/leftover"),
        ("pkg:npm/@example/leftover@1.0.0", "npm", "@example/leftover"),
        ("pkg:pypi/parsely@2.0.1", "PyPI", "parsely"),
        ("pkg:golang/example.org/tool@v0.3.0#cmd", "Go", "example.org/tool"),
        ("pkg:deb/debian/libc6@2.28-10?arch=amd64", "Debian", "libc6"),
        ("pkg:rpm/redhat/avahi@0.7-20.el8", "Red Hat", "avahi"),
        ("pkg:apk/alpine/musl@1.2.3-r4", "Alpine", "musl"),
        ("pkg:generic/java@17", "", "java"),
        ("pkg:maven", "", ""),
        ("codec@1.4.0", "", ""),
        ("", "", ""),
    ],
)
def test_of_purl(purl: str, ecosystem: str, name: str) -> None:
    assert of_purl(purl) == (ecosystem, name)
