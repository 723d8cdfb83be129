"""The routes and ZAP alerts of the real repository, where a mirror of it and its scans are here."""

import json
import os
from pathlib import Path

import pygit2
import pytest

from secai_lib.gateways.commit_files import CommitFiles
from secai_lib.route_mapping import RouteTable, match_url, route_table

COMMIT = "87820e7"
_MIRROR = "/work/.mirror/hitoshura25+mpo-api-authn-server/repo"


@pytest.fixture(scope="module")
def table() -> RouteTable:
    path = Path(os.environ.get("SECAI_REAL_REPOSITORY", _MIRROR))
    if not path.is_dir():
        pytest.skip("there is no mirror of hitoshura25/mpo-api-authn-server here")
    repository = pygit2.Repository(str(path))
    tree = repository.revparse_single(COMMIT).peel(pygit2.Tree)
    return route_table(CommitFiles(repository, tree, max_bytes=1 << 20))


def test_16_instances_of_8_alerts_have_a_handler_and_13_a_reason(
    table: RouteTable, real_scans: Path
) -> None:
    handlers, reasons, alerts = [], [], set()
    for report in sorted(real_scans.glob("zap-*/report_json.json")):
        for site in json.loads(report.read_text("utf-8"))["site"]:
            for alert in site["alerts"]:
                for instance in alert["instances"]:
                    match = match_url(table, instance["uri"], instance["method"])
                    if match.reason:
                        reasons.append((match.service, instance["uri"], match.reason))
                    else:
                        handlers.append((instance["uri"], match.path, match.line, match.end_line))
                        alerts.add((site["@port"], alert["alertRef"]))
    file = "webauthn-server/src/main/kotlin/com/vmenon/mpo/api/authn/routes/HealthRoutes.kt"
    root = ("http://localhost:8080", "http://localhost:8080/")
    assert sorted(handlers) == sorted((url, file, 21, 23) for url in root for _ in range(8))
    assert len(alerts) == 8
    assert len(reasons) == 13
    assert {reason for _, _, reason in reasons} == {"No route of this service has this path."}
    assert {(service, url.rpartition("/")[2]) for service, url, _ in reasons} == {
        ("webauthn-server", "robots.txt"),
        ("webauthn-server", "sitemap.xml"),
        ("webauthn-test-credentials-service", "localhost:8081"),
    }
