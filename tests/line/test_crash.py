"""A death or a failure in the middle of a commit leaves nothing half, and is made good by doing it again."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import RetryError
from hub.store.engine import SqlStore, open_store
from tests.line.line_kit import Line, call, mediation

TABLES = (
    "record",
    "version",
    "person",
    "household",
    "party",
    "event_place",
    "owed",
    "owed_cause",
    "parcel",
    "light_change",
)


def everything(line: Line) -> list[Any]:
    """What a finished commit leaves, numbers of chance left out."""
    return [
        line.lights(),
        line.owed(),
        [line.rows(f"SELECT COUNT(*) FROM {table}") for table in TABLES],
        line.rows("SELECT state, applied, received FROM page ORDER BY id"),
    ]


@pytest.fixture(scope="module")
def unharmed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The same day without a death."""
    path = tmp_path_factory.mktemp("unharmed") / "hub.db"
    path.write_bytes(sqlite_template.read_bytes())
    store = open_store(f"sqlite:///{path}")
    line = Line(store)
    line.land("justice", "mediation", mediation())
    line.drain()
    found = everything(line)
    store.dispose()
    return found


@pytest.mark.parametrize("table", [*TABLES, "page"])
def test_killed_between_two_statements(sqlite_store: SqlStore, table: str, unharmed: list[Any]) -> None:
    """The process dies while a row of this table is written: the page is still pending, and nothing else is there."""
    line = Line(sqlite_store)
    line.land("justice", "mediation", mediation())
    sqlite_store.dispose()
    child = os.fork()
    if child == 0:  # a process of its own that dies without a word, inside the commit
        try:
            _die_while_writing(str(sqlite_store.path), table)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 9
    assert [line.rows(f"SELECT COUNT(*) FROM {t}") for t in TABLES] == [[(0,)]] * len(TABLES)
    assert line.rows("SELECT state FROM page") == [("landed",)]
    line.now = line.now.replace(minute=5)  # the dead writer's lease has ended
    line.drain()
    assert everything(line)[0:3] == unharmed[0:3]


def _die_while_writing(path: str, table: str) -> None:
    store = open_store(f"sqlite:///{path}")
    raw = store.writer.raw_connection()
    raw.driver_connection.create_function("die", 0, lambda: os._exit(9))
    what = "UPDATE" if table == "page" else "INSERT"
    raw.cursor().execute(f"CREATE TEMP TRIGGER death AFTER {what} ON main.{table} BEGIN SELECT die(); END")
    raw.close()
    Line(store).drain()


@pytest.mark.parametrize("table", ["version", "owed", "parcel"])
def test_a_connection_lost_in_a_commit(postgres_store: SqlStore, table: str, unharmed: list[Any]) -> None:
    """PostgreSQL ends the session while a row of this table is written: nothing is stored, the next try does it all."""
    line = Line(postgres_store)
    line.land("justice", "mediation", mediation())
    with postgres_store.claim() as sql:
        sql.run(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        )
        sql.run(f"CREATE TRIGGER death AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION die()")
    with pytest.raises(RetryError):
        line.drain()
    assert [line.rows(f"SELECT COUNT(*) FROM {t}") for t in TABLES] == [[(0,)]] * len(TABLES)
    with postgres_store.claim() as sql:
        sql.run(f"DROP TRIGGER death ON {table}")
    line.drain()
    assert everything(line)[0:3] == unharmed[0:3]


def test_one_poisonous_record_is_set_apart(store: SqlStore) -> None:
    """A record that makes its commit fail is found by halving and quarantined as hub.defect; its neighbours are applied."""
    line = Line(store)
    bad = random.Random(1).randrange(40)
    with store.claim() as sql:
        if store.postgres:
            sql.run(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN RAISE EXCEPTION USING MESSAGE = ''poison''; END'"
            )
            sql.run(
                f"CREATE TRIGGER poison BEFORE INSERT ON record FOR EACH ROW WHEN (NEW.no = 'C{bad}')"
                " EXECUTE FUNCTION refuse()"
            )
        else:
            sql.run(
                f"CREATE TRIGGER poison BEFORE INSERT ON record WHEN NEW.no = 'C{bad}'"
                " BEGIN SELECT RAISE(ABORT, 'poison'); END"
            )
    receipt = line.send("police", "incident", *[call(f"C{n}") for n in range(40)])
    assert (receipt["applied"], receipt["quarantined"]) == (39, 1)
    assert [(row["row"], row["code"]) for row in receipt["rows"] if row["status"] == "quarantined"] == [
        (bad, "hub.defect")
    ]
