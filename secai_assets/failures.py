"""Errors of ours in Dagster's words, and what is retried."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from secai_lib.core.errors import SecAIError, Transient

RETRY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL)
"""For errors of the kind `Transient`; the others are marked as not worth a retry."""


def failure(error: SecAIError) -> dg.Failure:
    """`error` as a step failure: its sentence, its exit code, and whether a retry can help."""
    return dg.Failure(
        description=str(error),
        metadata={"exit_code": dg.MetadataValue.int(error.exit_code)},
        allow_retries=isinstance(error, Transient),
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of ours into step failures; bugs keep their traceback."""
    try:
        yield
    except SecAIError as error:
        raise failure(error) from error
