"""The one partition definition: a scan run (see `core.scan_keys` for its keys)."""

import warnings
from collections.abc import Callable, Mapping

import dagster as dg

from secai_assets.failures import failure
from secai_lib.core.errors import SecAIError, Transient

# Partitioned checks and backfill policies are marked beta or preview in Dagster 1.13. They were
# tried out, the version is pinned, and a user can do nothing about it. Dagster's import sets its
# own filters, so ours come after it and before the first asset.
for marked in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=marked)

scan_run = dg.DynamicPartitionsDefinition(name="scan_run")


def each_partition(
    context: dg.AssetExecutionContext, make: Callable[[str], Mapping[str, dg.MetadataValue]]
) -> dg.MaterializeResult[None]:
    """Make every partition of the step; one that fails does not stop the others.

    Raises:
        dg.Failure: after the last partition, naming those that failed.
    """
    failures: dict[str, SecAIError] = {}
    contents: list[str] = []
    for key in context.partition_keys:
        try:
            facts = make(key)
            context.add_asset_metadata(facts, partition_key=key)
            contents.append(str(facts["content"].value))
        except SecAIError as error:
            context.log.error(f"{key}: {error}")
            failures[key] = error
    if len(context.partition_keys) == 1 and failures:
        raise failure(next(iter(failures.values())))
    if failures:
        raise dg.Failure(
            description="\n".join(f"{key}: {error}" for key, error in failures.items()),
            allow_retries=any(isinstance(e, Transient) for e in failures.values()),
        )
    # equal content keeps what is made of it in sync; a range has no data version for each key
    version = dg.DataVersion(contents[0]) if len(contents) == 1 else None
    return dg.MaterializeResult(data_version=version)
