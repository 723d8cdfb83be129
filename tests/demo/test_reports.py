"""Every place, version, port and URL that the bundled reports name exists in the sample."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from univers.version_range import MavenVersionRange, NpmVersionRange, PypiVersionRange

from tests.demo.sample_facts import (
    REPORTS,
    REPOSITORY,
    RUNNER,
    catalogue_versions,
    expected_routes,
    installed_packages,
    report,
)

TRIVY = "docker-security-scan-results-trivy-action"
OSV = "osv-scanner-results-workflow_dispatch-17"
ZAP = {
    "zap-full-scan-nestbox-locker-server": ("locker-server", 8080),
    "zap-baseline-scan-nestbox-notify-service": ("notify-service", 8090),
}
IMAGES = {
    "locker-server": "ghcr.io/secai-demo/nestbox-locker-server:latest",
    "notify-service": "ghcr.io/secai-demo/nestbox-notify-service:1.8.0",
}
ECOSYSTEMS = {"Maven": MavenVersionRange, "npm": NpmVersionRange, "PyPI": PypiVersionRange}


def osv_packages() -> Iterator[tuple[str, dict[str, Any]]]:
    for result in report(OSV, "osv-results.json")["results"]:
        for entry in result["packages"]:
            yield result["source"]["path"].removeprefix(RUNNER), entry


def osv_cves(path: str) -> set[tuple[str, str, str]]:
    return {
        (entry["package"]["name"], entry["package"]["version"], alias)
        for where, entry in osv_packages()
        if where == path
        for vulnerability in entry["vulnerabilities"]
        for alias in vulnerability["aliases"]
        if alias.startswith("CVE-")
    }


def trivy_run(service: str) -> dict[str, Any]:
    run: dict[str, Any] = report(TRIVY, f"{service}-comprehensive.sarif")["runs"][0]
    return run


def zap_instances(folder: str) -> Iterator[tuple[str, str]]:
    for site in report(folder, "report_json.json")["site"]:
        for alert in site["alerts"]:
            for instance in alert["instances"]:
                yield instance["method"], instance["uri"]


def test_the_folders_are_those_of_a_downloaded_run() -> None:
    assert {p.name for p in REPORTS.iterdir()} == {TRIVY, OSV, "gitleaks-results.sarif", *ZAP}
    nested = [p for p in REPORTS.rglob("*.sarif") if p.is_file()]
    assert REPORTS / "gitleaks-results.sarif/work/nestbox/nestbox/results.sarif" in nested


# ------------------------------------------------------------------------------ OSV


def test_osv_paths_carry_the_runner_prefix_and_exist() -> None:
    results = report(OSV, "osv-results.json")["results"]
    paths = [result["source"]["path"] for result in results]
    assert paths == sorted(paths) and len(paths) == 4
    assert all(path.startswith(RUNNER) for path in paths)
    assert all((REPOSITORY / path.removeprefix(RUNNER)).is_file() for path in paths)


def test_osv_packages_are_installed_in_that_version() -> None:
    for path, entry in osv_packages():
        package = entry["package"]
        assert (package["name"], package["version"]) in installed_packages(path), path


def _covers(version_class: Any, affected: dict[str, Any], version: str) -> bool:
    number = version_class.version_class
    if version in affected.get("versions", ()):
        return True
    for span in affected["ranges"]:
        if span["type"] == "GIT":
            continue
        start = None
        for event in span["events"]:
            if "introduced" in event:
                start = event["introduced"]
                continue
            begun = start == "0" or number(version) >= number(start)
            if begun and number(version) < number(event["fixed"]):
                return True
    return False


def test_osv_advisories_affect_the_installed_version() -> None:
    for path, entry in osv_packages():
        package = entry["package"]
        for advisory in entry["vulnerabilities"]:
            mine = [
                affected
                for affected in advisory["affected"]
                if affected["package"]["name"].lower() == package["name"]
            ]
            assert any(
                _covers(ECOSYSTEMS[package["ecosystem"]], affected, package["version"])
                for affected in mine
            ), (path, package, advisory["id"])


def test_osv_groups_hold_every_advisory_once_with_its_aliases() -> None:
    for _, entry in osv_packages():
        ids = [advisory["id"] for advisory in entry["vulnerabilities"]]
        assert sorted(i for group in entry["groups"] for i in group["ids"]) == sorted(ids)
        for group in entry["groups"]:
            known = {
                name
                for advisory in entry["vulnerabilities"]
                if advisory["id"] in group["ids"]
                for name in (advisory["id"], *advisory["aliases"])
            }
            assert set(group["aliases"]) == known


def test_an_alias_pair_is_one_group() -> None:
    groups = {
        entry["package"]["name"]: [group["ids"] for group in entry["groups"]]
        for path, entry in osv_packages()
        if path == "tools/requirements.txt"
    }
    assert groups["pyyaml"] == [["GHSA-8q59-q68h-6hv4", "PYSEC-2021-142"]]
    assert len(groups["urllib3"]) == 2


# ------------------------------------------------------------------------------ Trivy


@pytest.mark.parametrize("service", IMAGES)
def test_trivy_images_are_those_of_the_deployment(service: str) -> None:
    run = trivy_run(service)
    assert run["properties"]["imageName"] == IMAGES[service]
    manifest = (REPOSITORY / "deploy/k8s/nestbox.yaml").read_text(encoding="utf-8")
    assert f"image: {IMAGES[service]}\n" in manifest
    dockerfile = (REPOSITORY / service / "Dockerfile").read_text(encoding="utf-8")
    assert f"build/libs/{service}-all.jar /app/app.jar" in dockerfile


@pytest.mark.parametrize("service", IMAGES)
def test_trivy_members_are_locked_and_known_to_osv(service: str) -> None:
    lockfile = f"{service}/gradle.lockfile"
    members = images = 0
    for result in trivy_run(service)["results"]:
        place = result["locations"][0]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        name, _, version = place["message"]["text"].removeprefix(f"{uri}: ").rpartition("@")
        if uri == "app/app.jar":
            members += 1
            assert (name, version) in installed_packages(lockfile)
            assert (name, version, result["ruleId"]) in osv_cves(lockfile)
        else:
            images += 1
            assert uri == IMAGES[service].removeprefix("ghcr.io/").rpartition(":")[0]
    assert members >= 5 and images >= 2


def test_trivy_rules_and_aggregate_are_consistent() -> None:
    runs = [trivy_run(service) for service in IMAGES]
    assert report(TRIVY, "docker-security-scan-results.sarif")["runs"] == runs
    for run in runs:
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


# ------------------------------------------------------------------------------ ZAP


@pytest.mark.parametrize("folder", ZAP)
def test_zap_talks_to_the_port_that_the_sample_opens(folder: str) -> None:
    service, port = ZAP[folder]
    (site,) = report(folder, "report_json.json")["site"]
    assert (site["@name"], site["@port"]) == (f"http://localhost:{port}", str(port))
    compose = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    assert f"  {service}:\n    build: ./{service}\n" in compose
    assert f'{port}:{port}"' in compose


@pytest.mark.parametrize("folder", ZAP)
def test_zap_urls_are_routes_of_the_service(folder: str) -> None:
    service, port = ZAP[folder]
    routes = [route for route in expected_routes() if route.service == service]
    without = set()
    for method, url in zap_instances(folder):
        parts = urlsplit(url)
        assert parts.port == port
        if not any(route.answers(port, method, unquote(parts.path)) for route in routes):
            without.add(parts.path)
    assert without == {"/robots.txt", "/sitemap.xml"}


@pytest.mark.parametrize("folder", ZAP)
def test_zap_counts_are_right(folder: str) -> None:
    (site,) = report(folder, "report_json.json")["site"]
    ids = [i["id"] for alert in site["alerts"] for i in alert["instances"]]
    assert len(ids) == len(set(ids))
    assert all(alert["count"] == str(len(alert["instances"])) for alert in site["alerts"])


# ------------------------------------------------------------------------------ Gitleaks


def test_gitleaks_snippets_stand_where_it_says() -> None:
    run = report("gitleaks-results.sarif", "work/nestbox/nestbox/results.sarif")["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert result["ruleId"] in rules
        place = result["locations"][0]["physicalLocation"]
        path, region = place["artifactLocation"]["uri"], place["region"]
        assert path in result["message"]["text"]
        lines = (REPOSITORY / path).read_text(encoding="utf-8").splitlines()
        columns = slice(region["startColumn"] - 1, region["endColumn"] - 1)
        assert region["snippet"]["text"] in lines[region["startLine"] - 1][columns]


# ------------------------------------------------------------------------------ the sample itself


def test_lockfiles_agree_with_what_they_lock() -> None:
    locked = installed_packages("locker-server/gradle.lockfile")
    assert set(catalogue_versions().items()) <= locked
    notify = (REPOSITORY / "notify-service/build.gradle.kts").read_text(encoding="utf-8")
    for name, version in installed_packages("notify-service/gradle.lockfile"):
        if f"{name}:" in notify:
            assert f'"{name}:{version}"' in notify
    manifest = json.loads((REPOSITORY / "web/package.json").read_text(encoding="utf-8"))
    wanted = {**manifest["dependencies"], **manifest["devDependencies"]}
    assert set(wanted.items()) <= installed_packages("web/package-lock.json")


def test_ports_of_the_routes_stand_in_the_code() -> None:
    declared = {
        8080: ("locker-server/src/main/resources/application.conf", "port = 8080"),
        8090: ("notify-service/src/main/kotlin/io/nestbox/notify/Main.kt", "NOTIFY_PORT = 8090"),
        3000: ("web/src/config.ts", "3000"),
        5000: ("tools/nestbox_tools/label_service.py", "port=5000"),
    }
    assert {route.port for route in expected_routes()} == set(declared)
    for path, text in declared.values():
        assert text in (REPOSITORY / path).read_text(encoding="utf-8")


def test_route_files_exist_and_name_the_end_of_the_pattern() -> None:
    routes = expected_routes()
    assert len(routes) == len(set(routes)) == 33
    for route in routes:
        text = (REPOSITORY / route.file).read_text(encoding="utf-8")
        last = route.pattern.rpartition("/")[2]
        assert last in text or "HEALTH_PATH" in text or "Paths." in text, route
