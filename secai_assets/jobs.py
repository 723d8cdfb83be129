"""What is started together."""

import dagster as dg

INGEST = dg.AssetSelection.assets("raw_scans", "findings", "route_tables", "code_contexts")
CORPUS = dg.AssetSelection.assets("problems", "fixes", "report")

READING = dg.AssetSelection.assets("base_model", "embedding_model", "analyses", "knowledge_base")
DATASETS = dg.AssetSelection.assets("forge_pairs", "stage1_dataset", "stage2_dataset")
TRAINING = dg.AssetSelection.assets(
    *("stage1_adapter", "stage2_adapter", "evaluation"),
    *("stage1_peft", "stage2_peft", "fused_model"),
)
PUBLISHED = dg.AssetSelection.assets(
    "published_dataset", "published_stage1_model", "published_stage2_model"
)
GUARDING = dg.AssetSelection.checks_for_assets(
    "stage1_dataset", "stage2_dataset", "stage1_adapter", "stage2_adapter", "evaluation"
) | dg.AssetSelection.checks_for_assets("stage1_peft", "stage2_peft", "fused_model")

ingest = dg.define_asset_job(
    "ingest",
    selection=INGEST,
    executor_def=dg.in_process_executor,
    description="One scan run: from its artifacts to findings with their code.",
)

corpus = dg.define_asset_job(
    "corpus",
    selection=CORPUS,
    executor_def=dg.in_process_executor,
    description="All scan runs together: problems, proven fixes, report.",
)

ingest_and_fix = dg.define_asset_job(
    "ingest_and_fix",
    selection=INGEST | CORPUS,
    executor_def=dg.in_process_executor,
    description="One scan run and everything after it; what `secai run` starts.",
)

read = dg.define_asset_job(
    "read",
    selection=READING,
    executor_def=dg.in_process_executor,
    description="Models, what they read in the worst problems, and the memory of all of it.",
)

make_datasets = dg.define_asset_job(
    "make_datasets",
    selection=DATASETS,
    executor_def=dg.in_process_executor,
    description="Forged pairs and both training data sets.",
)

train = dg.define_asset_job(
    "train",
    selection=TRAINING,
    executor_def=dg.in_process_executor,
    description="Both adapters, what they are worth, and their exports.",
)

publish = dg.define_asset_job(
    "publish",
    selection=PUBLISHED | GUARDING,
    executor_def=dg.in_process_executor,
    description="What leaves; the checks of data sets, adapters and exports are run again first.",
)
