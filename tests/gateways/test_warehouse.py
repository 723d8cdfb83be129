from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from secai_lib.core.errors import UsageError
from secai_lib.core.finding import Severity
from secai_lib.core.manifest import Origin
from secai_lib.core.problem import EventKind, ProblemEvent, ProblemState
from secai_lib.core.scan import FilesScan, ScanRun
from secai_lib.gateways.columns import ALIASES, HISTORY, PROBLEMS, RENAMES, TRIAGE
from secai_lib.gateways.schema import TABLES
from secai_lib.gateways.store import Store
from secai_lib.gateways.tables import to_parquet
from secai_lib.gateways.warehouse import ask, build_warehouse, put_documents
from tests.fakes.records import BRANCH, REPOSITORY, make_problem
from tests.gateways.test_knowledge_files import packed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "it's here")
    build_warehouse(store, [], tables())
    return store


def tables() -> dict[str, bytes]:
    return {
        "problems": to_parquet([make_problem()], PROBLEMS),
        "history": to_parquet([], HISTORY),
        "aliases": to_parquet([], ALIASES),
        "renames": to_parquet([], RENAMES),
        "triage": to_parquet([], TRIAGE),
    }


def scan_run(number: int) -> ScanRun:
    request = FilesScan(repository=REPOSITORY, branch=BRANCH, inbox="x",
                        created_at=datetime(2026, 1, number, tzinfo=UTC))  # fmt: skip
    return ScanRun(key=f"run{number}", request=request, files=(), tools=())


def happened(problem: str, event: str, run: ScanRun) -> ProblemEvent:
    return ProblemEvent(problem=problem * 16, repository=REPOSITORY, branch=BRANCH,
                        event=EventKind(event), run=run.key, commit="",
                        time=run.request.created_at, tools=())  # fmt: skip


def remember(store: Store, count: int) -> None:
    origin = Origin(inputs={"n": str(count)}, settings="", code_version="")
    store.publish("knowledge_base", packed(count), origin=origin, counts={})


def count(store: Store, table: str) -> object:
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        return connection.execute(f"select count(*) from {table}").fetchone()


def test_the_documents_in_force_are_a_table_beside_the_others(store: Store) -> None:
    put_documents(store)  # there are none yet
    for number in (5, 3):
        remember(store, number)
        put_documents(store)
        assert count(store, "documents where fix_kind = 'k'") == (number,)
        assert count(store, "problems") == count(store, "evidence") == (1,)


def test_a_rebuilt_warehouse_still_has_them_and_nothing_is_written_twice(store: Store) -> None:
    remember(store, 5)
    build_warehouse(store, [], tables())
    assert count(store, "documents") == (5,)
    before = store.warehouse.stat().st_ino
    put_documents(store)
    assert store.warehouse.stat().st_ino == before


def test_without_a_warehouse_nothing_happens(tmp_path: Path) -> None:
    store = Store(tmp_path)
    remember(store, 1)
    put_documents(store)
    assert not store.warehouse.exists()


def test_every_table_column_and_view_says_what_it_means(store: Store) -> None:
    remember(store, 2)
    put_documents(store)
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where not internal"
        ).fetchall()
        comments = dict(connection.execute(
            "select table_name, comment from duckdb_tables() union all"
            " select view_name, comment from duckdb_views() where not internal"
        ).fetchall())  # fmt: skip
    there: dict[str, list[str]] = {}
    for table, column, comment in columns:
        there.setdefault(table, []).append(column)
        assert TABLES[table].query or comment == TABLES[table].columns[column][1] != ""
    assert there == {name: list(table.columns) for name, table in TABLES.items()}
    assert {name for name, said in comments.items() if said} == set(TABLES)


def test_the_views_count_what_the_tables_hold(tmp_path: Path) -> None:
    store = Store(tmp_path)
    found = [
        make_problem(id=letter * 16, severity=severity, state=state)
        for letter, severity, state in (
            ("a", Severity.LOW, ProblemState.OPEN),
            ("b", Severity.CRITICAL, ProblemState.OPEN),
            ("c", Severity.CRITICAL, ProblemState.FIXED),
        )
    ]
    runs = [scan_run(number) for number in (1, 2, 3)]
    history = [
        happened("a", "seen", runs[0]),
        happened("c", "seen", runs[0]),
        happened("b", "seen", runs[1]),
        happened("c", "fixed", runs[1]),
    ]
    build_warehouse(store, runs, tables() | {
        "problems": to_parquet(found, PROBLEMS), "history": to_parquet(history, HISTORY)
    })  # fmt: skip
    assert ask(store, "select severity, problems from open_by_severity").to_pylist() == [
        {"severity": "critical", "problems": 1},
        {"severity": "low", "problems": 1},
    ]
    assert ask(store, "select problems, worst from open_by_tool").to_pylist() == [
        {"problems": 2, "worst": "critical"}
    ]
    trend = ask(store, "select new, fixed, open, critical, low from trend").to_pylist()
    assert [tuple(row.values()) for row in trend] == [
        (2, 0, 2, 1, 1),
        (1, 1, 2, 1, 1),
        (0, 0, 2, 1, 1),
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select nothing from problems", "nothing"),
        ("drop table problems", "read-only"),
        ("from read_text('/etc/hostname')", "disabled"),
        ("copy problems to '/tmp/stolen.csv'", "disabled"),
        ("attach '/tmp/other.db'", "disabled"),
        ("set enable_external_access = true", "lock"),
        ("not a query", "syntax"),
    ],
)
def test_a_query_can_only_read_the_warehouse(store: Store, query: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"(?is){said}.*secai schema"):
        ask(store, query)


def test_without_a_warehouse_there_is_nothing_to_ask(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="secai run"):
        ask(Store(tmp_path), "from problems")
