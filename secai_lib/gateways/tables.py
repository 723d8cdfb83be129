"""Records as Parquet: flat columns for SQL, and the whole record as JSON to read back exactly."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from secai_lib.core.record import Record, canonical_json

R = TypeVar("R", bound=Record)
Columns = Mapping[str, tuple[pa.DataType, Callable[[R], object]]]

TEXT, TEXTS, INTEGER, NUMBER = (
    pa.string(),
    pa.list_(pa.string()),
    pa.int64(),
    pa.float64(),
)
TIME = pa.timestamp("us", tz="UTC")
FLAG = pa.bool_()


def to_parquet(records: Sequence[R], columns: Columns[R], *, run: str = "") -> bytes:
    """Parquet bytes (zstd) with one row per record: `columns`, then `record` (JSON text).

    A `run` (scan run's key) is put before them for records that do not carry it themselves.
    """
    arrays = {"run": pa.array([run] * len(records), type=TEXT)} if run else {}
    arrays |= {
        name: pa.array([_value(read(record)) for record in records], type=kind)
        for name, (kind, read) in columns.items()
    }
    arrays["record"] = pa.array([canonical_json(record) for record in records], type=TEXT)
    return parquet_bytes(pa.table(arrays))


def parquet_bytes(table: pa.Table) -> bytes:
    """`table` as Parquet (zstd)."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def from_parquet(data: bytes, kind: type[R]) -> list[R]:
    """The records of a file written by `to_parquet`, in its order."""
    # Arrow's own buffer and one thread: its scanner threads may still hold a Python file when the
    # interpreter ends, and abort the process (seen with pyarrow 26)
    file = pq.ParquetFile(pa.BufferReader(data))
    column = file.read(columns=["record"], use_threads=False).column("record")
    return [kind.model_validate_json(text) for text in column.to_pylist()]


def _value(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
