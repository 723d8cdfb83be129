"""The code location: what Dagster loads."""

from datetime import UTC, datetime

import dagster as dg

from secai_assets import jobs
from secai_assets.assets import (
    analyses,
    base_model,
    code_contexts,
    embedding_model,
    findings,
    fixes,
    forge_pairs,
    knowledge_base,
    problems,
    raw_scans,
    report,
    route_tables,
    stage1_dataset,
    stage2_dataset,
)
from secai_assets.automation import automation_sensor
from secai_assets.checks import analyses as analyses_checks
from secai_assets.checks import base_model as base_model_checks
from secai_assets.checks import code_contexts as code_contexts_checks
from secai_assets.checks import embedding_model as embedding_model_checks
from secai_assets.checks import findings as findings_checks
from secai_assets.checks import fixes as fixes_checks
from secai_assets.checks import forge_pairs as forge_pairs_checks
from secai_assets.checks import knowledge_base as knowledge_base_checks
from secai_assets.checks import problems as problems_checks
from secai_assets.checks import raw_scans as raw_scans_checks
from secai_assets.checks import report as report_checks
from secai_assets.checks import route_tables as route_tables_checks
from secai_assets.checks import stage1_dataset as stage1_dataset_checks
from secai_assets.checks import stage2_dataset as stage2_dataset_checks
from secai_assets.partitions import scan_run
from secai_assets.resources.house import House, house_or_explain
from secai_assets.resources.intake import local_scan
from secai_assets.sensors import (
    GithubSensor,
    LocalSensor,
    github_actions_sensor,
    local_repositories_sensor,
)

STEPS = [
    *(raw_scans, findings, route_tables, code_contexts, problems, fixes, report),
    *(base_model, embedding_model, analyses, knowledge_base),
    *(forge_pairs, stage1_dataset, stage2_dataset),
]
CHECKS = [
    *(raw_scans_checks, findings_checks, route_tables_checks, code_contexts_checks),
    *(problems_checks, fixes_checks, report_checks),
    *(base_model_checks, embedding_model_checks, analyses_checks, knowledge_base_checks),
    *(forge_pairs_checks, stage1_dataset_checks, stage2_dataset_checks),
]


def build(house: House) -> dg.Definitions:
    """The definitions of one project."""
    settings = house.settings
    return dg.Definitions(
        assets=dg.with_source_code_references(dg.load_assets_from_modules(STEPS)),
        asset_checks=dg.load_asset_checks_from_modules(CHECKS),
        jobs=[jobs.ingest, jobs.corpus, jobs.ingest_and_fix, jobs.read, jobs.make_datasets],
        sensors=[
            automation_sensor(autostart=settings.sensors.autostart),
            github_actions_sensor(
                GithubSensor(
                    repositories=settings.sources.github,
                    look_back_hours=settings.sensors.look_back_hours,
                    runs_per_tick=settings.sensors.runs_per_tick,
                    interval_seconds=settings.sensors.interval_seconds,
                    autostart=settings.sensors.autostart,
                ),
                job=jobs.ingest,
                partitions=scan_run,
                connect=house.connect_github,
                save_request=house.add_request,
                now=lambda: datetime.now(UTC),
            ),
            local_repositories_sensor(
                LocalSensor(
                    paths=tuple(local.path for local in settings.sources.local),
                    interval_seconds=settings.sensors.interval_seconds,
                    autostart=settings.sensors.autostart,
                ),
                job=jobs.ingest_and_fix,
                partitions=scan_run,
                snapshot=lambda path: local_scan(house, path)[0],
                save_request=house.add_request,
            ),
        ],
        resources={"house": house},
        executor=dg.in_process_executor,
    )


defs = build(house_or_explain())
