"""Builds the warehouse: every table of the platform in one DuckDB file, for SQL."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from secai_lib.core.errors import UsageError
from secai_lib.core.record import content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.gateways.schema import TABLES
from secai_lib.gateways.store import Store


def build_warehouse(store: Store, runs: Sequence[ScanRun], tables: Mapping[str, bytes]) -> None:
    """Swap in a warehouse made of the accepted `runs` and of `tables` (name -> Parquet bytes)."""
    keys = [run.key for run in runs]

    def build(connection: duckdb.DuckDBPyConnection) -> None:
        for table, product, name in (
            ("findings", "findings", "findings.parquet"),
            ("skipped", "findings", "skipped.parquet"),
            ("contexts", "code_contexts", "contexts.parquet"),
        ):
            files = [str(store.path(product, key).resolve() / name) for key in keys]
            _load(connection, table, [file for file in files if Path(file).is_file()])
        _fill(connection, "scan_runs", pa.Table.from_pylist(list(map(_run_row, runs)), _RUNS))
        rows = [row for run in runs for row in _tool_rows(run)]
        _fill(connection, "tool_runs", pa.Table.from_pylist(rows, _TOOLS))
        for table, data in tables.items():
            file = pq.ParquetFile(pa.BufferReader(data))
            _fill(connection, table, file.read(use_threads=False))
        connection.execute(
            "create table evidence as select id as problem, unnest(fingerprints) as fingerprint"
            " from problems"
        )
        _load_documents(connection, store)
        _describe(connection)

    store.rebuild_warehouse(build)


def ask(store: Store, query: str) -> pa.Table:
    """What the warehouse answers to `query`; it can read no other file and change nothing.

    Raises `UsageError` when nothing was scanned yet and when DuckDB refuses the query.
    """
    if not store.has_warehouse():
        raise UsageError("there is no warehouse yet: make one with `secai demo` or `secai run`")
    try:
        with duckdb.connect(
            str(store.warehouse),
            read_only=True,
            config={"enable_external_access": "false", "lock_configuration": "true"},
        ) as connection:
            answer = connection.sql(query)
            return pa.table({}) if answer is None else answer.to_arrow_table()
    except duckdb.Error as error:
        said = str(error).replace(str(store.root), "").strip()
        raise UsageError(f"{said}\n`secai schema` shows the tables and columns.") from error


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
        connection.execute(f"attach {_quoted(str(store.warehouse))} as old (read_only)")
        connection.execute(f'copy from database old to "{name}"')
        connection.execute("detach old")
        connection.execute("drop table if exists documents")
        _load_documents(connection, store)
        _describe(connection)

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


_RUNS, _TOOLS = (
    pa.schema([(name, kind) for name, (kind, _) in TABLES[table].columns.items()])
    for table in ("scan_runs", "tool_runs")
)


def _load(connection: duckdb.DuckDBPyConnection, table: str, files: list[str]) -> None:
    """Make `table` of Parquet files; without any it is empty, so that a query finds it."""
    if files:
        connection.read_parquet(files).create(table)
    else:
        kinds = {name: kind for name, (kind, _) in TABLES[table].columns.items()}
        _fill(connection, table, pa.schema(kinds).empty_table())


def _fill(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    connection.from_arrow(rows).create(table)


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """The views, and what every table and column means, for whoever opens the file alone."""
    there = {name for (name,) in connection.execute("select table_name from duckdb_tables()")
             .fetchall()}  # fmt: skip
    for name, table in TABLES.items():
        if table.query:
            connection.execute(f"create or replace view {name} as {table.query}")
            connection.execute(f"comment on view {name} is {_quoted(table.about)}")
        elif name in there:
            if name != "documents":  # its comment is its version
                connection.execute(f"comment on table {name} is {_quoted(table.about)}")
            for column, (_, said) in table.columns.items():
                connection.execute(f'comment on column {name}."{column}" is {_quoted(said)}')


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
