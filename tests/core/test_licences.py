"""The licence of a repository is read from its licence file."""

import pytest

from secai_lib.core.licences import licence_in, licence_of
from tests.fakes.rescanner import FakeFiles


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("MIT License\nPermission is hereby granted, free of charge, to any person, to deal\n"
         "in the Software without\nrestriction", "MIT"),
        ("GNU GENERAL PUBLIC LICENSE Version 3", "GPL-3.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE Version 3 ... GNU General Public License version 3",
         "AGPL-3.0"),
        ("All rights reserved.", ""),
    ],
)  # fmt: skip
def test_licences(text: str, name: str) -> None:
    assert licence_in(text) == name


def test_only_the_licence_file_at_the_top_counts() -> None:
    mit = "Permission is hereby granted, free of charge, without restriction"
    assert licence_of(FakeFiles({"LICENSE.md": mit, "a.py": ""})) == "MIT"
    assert licence_of(FakeFiles({"COPYING": "strange", "LICENSE": mit})) == "MIT"
    assert licence_of(FakeFiles({"vendor/LICENSE": mit})) == "unknown"
