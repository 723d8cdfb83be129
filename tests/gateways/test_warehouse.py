from pathlib import Path

import duckdb
import pytest

from secai_lib.core.manifest import Origin
from secai_lib.gateways.columns import PROBLEMS
from secai_lib.gateways.store import Store
from secai_lib.gateways.tables import to_parquet
from secai_lib.gateways.warehouse import build_warehouse, put_documents
from tests.fakes.records import make_problem
from tests.gateways.test_knowledge_files import packed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "it's here")
    build_warehouse(store, [], to_parquet([make_problem()], PROBLEMS))
    return store


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
    build_warehouse(store, [], to_parquet([make_problem()], PROBLEMS))
    assert count(store, "documents") == (5,)
    before = store.warehouse.stat().st_ino
    put_documents(store)
    assert store.warehouse.stat().st_ino == before


def test_without_a_warehouse_nothing_happens(tmp_path: Path) -> None:
    store = Store(tmp_path)
    remember(store, 1)
    put_documents(store)
    assert not store.warehouse.exists()
