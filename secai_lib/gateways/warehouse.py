"""Builds the warehouse: every table of the platform in one DuckDB file, for SQL."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from secai_lib.core.record import content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.gateways.store import Store


def build_warehouse(store: Store, runs: Sequence[ScanRun], problems: bytes) -> None:
    """Swap in a warehouse made of the accepted `runs` and of `problems` (Parquet bytes)."""
    keys = [run.key for run in runs]
    aside = store.root / ".problems.parquet"

    def build(connection: duckdb.DuckDBPyConnection) -> None:
        for table, product, name in (
            ("findings", "findings", "findings.parquet"),
            ("skipped", "findings", "skipped.parquet"),
            ("contexts", "code_contexts", "contexts.parquet"),
        ):
            files = [str(store.path(product, key).resolve() / name) for key in keys]
            _load(connection, table, [file for file in files if Path(file).is_file()])
        connection.register("run_rows", pa.Table.from_pylist([_run_row(r) for r in runs], _RUNS))
        connection.execute("create table scan_runs as select * from run_rows")
        rows = [row for run in runs for row in _tool_rows(run)]
        connection.register("tool_rows", pa.Table.from_pylist(rows, _TOOLS))
        connection.execute("create table tool_runs as select * from tool_rows")
        aside.write_bytes(problems)
        _load(connection, "problems", [str(aside)])
        aside.unlink()
        connection.execute(
            "create table evidence as select id as problem, unnest(fingerprints) as fingerprint"
            " from problems"
        )
        _load_documents(connection, store)

    store.rebuild_warehouse(build)


def put_documents(store: Store) -> None:
    """Let the warehouse's table `documents` be that of the knowledge base in force."""
    if not store.has_warehouse():
        return
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        there = connection.execute(
            "select comment from duckdb_tables() where table_name = 'documents'"
        ).fetchone()
    if there == (_documents_version(store),):
        return

    def build(connection: duckdb.DuckDBPyConnection) -> None:
        (name,) = connection.execute("select current_database()").fetchone() or ("",)
        old = str(store.warehouse).replace("'", "''")
        connection.execute(f"attach '{old}' as old (read_only)")
        connection.execute(f'copy from database old to "{name}"')
        connection.execute("detach old")
        connection.execute("drop table if exists documents")
        _load_documents(connection, store)

    store.rebuild_warehouse(build)


def _load_documents(connection: duckdb.DuckDBPyConnection, store: Store) -> None:
    """The documents of the knowledge base in force; its version is the table's comment."""
    if version := _documents_version(store):
        file = store.root / "knowledge_base" / version / "documents.parquet"
        _load(connection, "documents", [str(file)])
        connection.execute(f"comment on table documents is '{version}'")


def _documents_version(store: Store) -> str:
    """The version of the knowledge base in force that can be read; empty when there is none."""
    manifest = store.manifest("knowledge_base")
    version = content_hash(manifest) if manifest else ""
    file = store.root / "knowledge_base" / version / "documents.parquet"
    return version if version and file.is_file() else ""


_RUNS = pa.schema(
    [(name, pa.string()) for name in ("key", "repository", "branch", "commit", "kind")]
    + [("created_at", pa.timestamp("us", tz="UTC"))]
)
_TOOLS = pa.schema([(name, pa.string()) for name in ("run", "tool", "status", "version", "detail")])


def _load(connection: duckdb.DuckDBPyConnection, table: str, files: list[str]) -> None:
    if files:
        connection.read_parquet(files).create(table)


def _run_row(run: ScanRun) -> dict[str, object]:
    request = run.request
    return {
        "key": run.key,
        "repository": request.repository,
        "branch": request.branch,
        "commit": request.commit,
        "kind": request.kind,
        "created_at": request.created_at,
    }


def _tool_rows(run: ScanRun) -> list[dict[str, str]]:
    return [
        {
            "run": run.key,
            "tool": t.tool,
            "status": t.status.value,
            "version": t.version,
            "detail": t.detail,
        }
        for t in run.tools
    ]
