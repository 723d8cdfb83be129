"""The code location: what Dagster loads."""

from datetime import UTC, datetime

import dagster as dg

from secai_assets import jobs
from secai_assets.assets import (
    analyses,
    base_model,
    code_contexts,
    embedding_model,
    evaluation,
    findings,
    fixes,
    forge_pairs,
    fused_model,
    knowledge_base,
    problems,
    published_dataset,
    published_stage1_model,
    published_stage2_model,
    raw_scans,
    report,
    route_tables,
    stage1_adapter,
    stage1_dataset,
    stage1_peft,
    stage2_adapter,
    stage2_dataset,
    stage2_peft,
)
from secai_assets.automation import automation_sensor
from secai_assets.checks import analyses as analyses_checks
from secai_assets.checks import base_model as base_model_checks
from secai_assets.checks import code_contexts as code_contexts_checks
from secai_assets.checks import embedding_model as embedding_model_checks
from secai_assets.checks import evaluation as evaluation_checks
from secai_assets.checks import findings as findings_checks
from secai_assets.checks import fixes as fixes_checks
from secai_assets.checks import forge_pairs as forge_pairs_checks
from secai_assets.checks import fused_model as fused_model_checks
from secai_assets.checks import knowledge_base as knowledge_base_checks
from secai_assets.checks import problems as problems_checks
from secai_assets.checks import published_dataset as published_dataset_checks
from secai_assets.checks import published_stage1_model as published_stage1_model_checks
from secai_assets.checks import published_stage2_model as published_stage2_model_checks
from secai_assets.checks import raw_scans as raw_scans_checks
from secai_assets.checks import report as report_checks
from secai_assets.checks import route_tables as route_tables_checks
from secai_assets.checks import stage1_adapter as stage1_adapter_checks
from secai_assets.checks import stage1_dataset as stage1_dataset_checks
from secai_assets.checks import stage1_peft as stage1_peft_checks
from secai_assets.checks import stage2_adapter as stage2_adapter_checks
from secai_assets.checks import stage2_dataset as stage2_dataset_checks
from secai_assets.checks import stage2_peft as stage2_peft_checks
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
    *(stage1_adapter, stage2_adapter, evaluation, stage1_peft, stage2_peft, fused_model),
    *(published_dataset, published_stage1_model, published_stage2_model),
]
CHECKS = [
    *(raw_scans_checks, findings_checks, route_tables_checks, code_contexts_checks),
    *(problems_checks, fixes_checks, report_checks),
    *(base_model_checks, embedding_model_checks, analyses_checks, knowledge_base_checks),
    *(forge_pairs_checks, stage1_dataset_checks, stage2_dataset_checks),
    *(stage1_adapter_checks, stage2_adapter_checks, evaluation_checks),
    *(stage1_peft_checks, stage2_peft_checks, fused_model_checks),
    *(published_dataset_checks, published_stage1_model_checks, published_stage2_model_checks),
]


def build(house: House) -> dg.Definitions:
    """The definitions of one project."""
    settings = house.settings
    return dg.Definitions(
        assets=dg.with_source_code_references(dg.load_assets_from_modules(STEPS)),
        asset_checks=dg.load_asset_checks_from_modules(CHECKS),
        jobs=[
            *(jobs.ingest, jobs.corpus, jobs.ingest_and_fix, jobs.read),
            *(jobs.make_datasets, jobs.train, jobs.publish),
        ],
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
