"""A reusable workflow and the permissions that its callers grant."""

import pytest

from secai_lib.core.finding import SourceLocation
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.rules import workflow_permissions
from tests.fakes.records import make_finding, make_result
from tests.fakes.rescanner import FakeFiles


def test_a_called_workflow_never_asks_for_more_than_its_caller_has() -> None:
    """GitHub refuses the caller's whole file otherwise; found on a real repository."""
    path, caller = ".github/workflows/changes.yml", ".github/workflows/main.yml"
    called = (
        "on:\n  workflow_call:\njobs:\n  find:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: dorny/paths-filter@v3\n"
    )
    calling = "on: push\n{}jobs:\n  a:\n    uses: ./.github/workflows/changes.yml\n"
    finding = make_finding(
        result=make_result(
            tool="zizmor",
            rule_id="excessive-permissions",
            locations=(SourceLocation(path=path, start_line=1),),
        )
    )
    for block, refused in (
        ("", False),
        ("permissions:\n  contents: read\n", True),
        ("permissions:\n  contents: read\n  pull-requests: read\n", False),
        ("permissions: read-all\n", False),
        ("permissions: {}\n", True),
    ):
        files = FakeFiles({path: called, caller: calling.format(block)})
        if refused:
            with pytest.raises(Abstain, match=r"main\.yml calls this workflow without"):
                workflow_permissions.propose(finding, Peers([finding]), files)
        else:
            assert workflow_permissions.propose(finding, Peers([finding]), files)
