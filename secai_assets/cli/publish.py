"""`secai publish`: the flow to its end, and where the publications are."""

from rich.console import Console
from rich.markup import escape

from secai_assets.cli.flow import errors, print_json
from secai_assets.cli.terminal import shown
from secai_assets.publications import PUBLISHED, read_receipt
from secai_assets.resources.house import House
from secai_assets.run import Outcome, run_again
from secai_lib.gateways.config import Project, load_project
from secai_lib.publishing.release import Receipt


def publish_all(*, push: bool | None, as_json: bool) -> int:
    """The exit code: 0 when all was published, 7 when a gate refused, else what failed.

    The flow is brought up to date first, without new scans; what is unchanged is not made again.
    `push` stands above the setting `publication.push`; None leaves it.
    """
    house = House(_project(push))
    outcome = run_again(house, "all")
    receipts = {name: read_receipt(house, name) for name in PUBLISHED if name in outcome.made}
    if as_json:
        published = {name: _facts(receipt) for name, receipt in receipts.items()}
        print_json(
            {
                "published": published,
                "refused": outcome.failed_steps,
                "failed_checks": outcome.failed_checks,
            }
        )
    else:
        _print(house, receipts, outcome)
    return outcome.exit_code


def _project(push: bool | None) -> Project:
    project = load_project()
    if push is None:
        return project
    publication = project.settings.publication.model_copy(update={"push": push})
    settings = project.settings.model_copy(update={"publication": publication})
    return Project(root=project.root, settings=settings)


def _facts(receipt: Receipt) -> dict[str, object]:
    failed = {gate.name: gate.sentence for gate in receipt.gates if not gate.passed}
    names = ("repository", "state", "folder", "commit", "tag")
    return {name: getattr(receipt, name) for name in names} | {
        "release": receipt.release.digest,
        "failed_gates": failed,
    }


def _print(house: House, receipts: dict[str, Receipt], outcome: Outcome) -> None:
    console = Console(highlight=False)
    for receipt in receipts.values():
        colour = "green" if receipt.state == "ready" else "yellow"
        where = f"{house.project.home.name}/{receipt.folder}"
        console.print(f"[{colour}]{receipt.state}[/] {escape(where)}", soft_wrap=True)
        if receipt.commit:
            console.print(f"  pushed to {escape(receipt.repository)}, tag {escape(receipt.tag)}")
        for gate in receipt.gates:
            if not gate.passed:
                console.print(f"  no push, {gate.name}: {escape(gate.sentence)}", soft_wrap=True)
    for line in outcome.failed_checks:
        errors.print(f"[red]Refused by a check[/] {shown(line, 1000)}", soft_wrap=True)
    for step, why in outcome.failed_steps.items():
        errors.print(f"[red]{shown(step)} failed:[/] {shown(why, 2000)}", soft_wrap=True)
