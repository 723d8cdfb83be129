"""The bundled sample: exactly the routes its README promises, and its ZAP reports."""

import json
from pathlib import Path

import pytest

from secai_lib.route_mapping import RouteTable, match_url, route_table

DEMO = Path(__file__).resolve().parents[2] / "secai_lib" / "demo"


class Folder:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def paths(self) -> tuple[str, ...]:
        found = (p for p in self._root.rglob("*") if p.is_file())
        return tuple(sorted(p.relative_to(self._root).as_posix() for p in found))

    def read(self, path: str) -> str | None:
        try:
            return (self._root / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return route_table(Folder(DEMO / "repository"))


def expected() -> list[tuple[str, int, str, str, str, str]]:
    rows = []
    for line in (DEMO / "README.md").read_text("utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if len(cells) == 6 and cells[1].isdigit() and cells[2] in ("ktor", "express", "flask"):
            rows.append((cells[0], int(cells[1]), cells[2], cells[3], cells[4], cells[5]))
    return rows


def test_all_expected_routes_and_none_else(table: RouteTable) -> None:
    port = {service.name: service.ports for service in table.services}
    found = sorted(
        (r.service, port[r.service][0], r.framework, r.method, r.pattern, r.path)
        for r in table.routes
    )
    assert len(expected()) == 33
    assert found == sorted(expected())
    assert table.gaps == ()
    assert all(len(ports) == 1 for ports in port.values())


def test_every_line_holds_the_declaration(table: RouteTable) -> None:
    for route in table.routes:
        text = (DEMO / "repository" / route.path).read_text("utf-8").splitlines()[route.line - 1]
        assert route.method.lower() in text.lower(), route


def test_same_bytes_twice(table: RouteTable) -> None:
    assert route_table(Folder(DEMO / "repository")).model_dump_json() == table.model_dump_json()
    assert RouteTable.model_validate_json(table.model_dump_json()) == table


@pytest.mark.parametrize("report", sorted(DEMO.glob("reports/zap-*/report_json.json")), ids=str)
def test_zap_urls(table: RouteTable, report: Path) -> None:
    seen = 0
    for site in json.loads(report.read_text("utf-8"))["site"]:
        for alert in site["alerts"]:
            for instance in alert["instances"]:
                match = match_url(table, instance["uri"], instance["method"])
                seen += 1
                if instance["uri"].endswith(("/robots.txt", "/sitemap.xml")):
                    assert match.path == "" and match.reason
                    continue
                assert match.reason == "", (instance["uri"], match)
                port = int(site["@port"])
                assert match.service == {8080: "locker-server", 8090: "notify-service"}[port]
    assert seen
