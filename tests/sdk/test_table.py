from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core.errors import ConfigurationError, CredentialsError, PersonError, RetryError
from hub.sdk.database import open_table_engine, table_error
from hub.sdk.table import TableSender, TableSource

ROWS = [(f"J{n}", f"2026-11-01 10:00:{n:02d}", "张三") for n in range(7)]


@pytest.fixture
def front(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A department's front-end database, on SQLite."""
    connection = sqlite3.connect(tmp_path / "front.db")
    connection.execute('CREATE TABLE t_jjd ("JJBH" TEXT, "更新时间" TEXT, "XM" TEXT)')
    connection.executemany("INSERT INTO t_jjd VALUES (?,?,?)", ROWS)
    connection.commit()
    yield connection
    connection.close()


def source(tmp_path: Path, **options: Any) -> TableSource:
    return TableSource(engine=open_table_engine(f"sqlite:///{tmp_path}/front.db"), **{"table": "t_jjd", **options})


def collect(source: TableSource, cursor: str | None = None) -> tuple[list[str], list[str | None]]:
    pages = list(source.pages(cursor))
    return [row["JJBH"] for rows, _ in pages for row in rows], [at for _, at in pages]


def test_table_is_read_in_keyset_pages(front: sqlite3.Connection, tmp_path: Path) -> None:
    """Ascending pages of the asked size, each with its own cursor; headers stay as the table has them."""
    numbers, cursors = collect(source(tmp_path, cursor_field="更新时间", rows_per_page=3))

    assert [row[0] for row in ROWS] == numbers
    assert cursors[-1] == "2026-11-01 10:00:06"
    assert None not in cursors
    assert {"JJBH": "J0", "更新时间": ROWS[0][1], "XM": "张三"} == next(source(tmp_path).pages(None))[0][0]


def test_next_read_is_inclusive_and_goes_back_by_the_overlap(front: sqlite3.Connection, tmp_path: Path) -> None:
    """The row at the cursor comes again (the line sees it is unchanged), with an overlap older ones too."""
    assert collect(source(tmp_path, cursor_field="更新时间"), "2026-11-01 10:00:06") == (
        ["J6"],
        ["2026-11-01 10:00:06"],
    )
    overlapping = source(tmp_path, cursor_field="更新时间", overlap=timedelta(seconds=2), rows_per_page=2)
    numbers, cursors = collect(overlapping, "2026-11-01 10:00:06")
    assert numbers == ["J4", "J5", "J6"]
    assert {"2026-11-01 10:00:06"} == set(cursors)  # never back


def test_rows_that_share_a_cursor_value_are_never_torn(front: sqlite3.Connection, tmp_path: Path) -> None:
    """Nine rows of one second with pages of four: all come, and the cursor moves only after the last of them."""
    front.execute("DELETE FROM t_jjd")
    front.executemany("INSERT INTO t_jjd VALUES (?,?,?)", [("A", "2026-11-01 09:00:00", "")] + [(f"B{n}", "2026-11-01 10:00:00", "") for n in range(9)] + [("C", "2026-11-01 11:00:00", "")])  # fmt: skip
    front.commit()

    numbers, cursors = collect(source(tmp_path, cursor_field="更新时间", rows_per_page=4))

    assert ["A", *(f"B{n}" for n in range(9)), "C"] == numbers
    assert cursors == ["2026-11-01 09:00:00", None, None, "2026-11-01 10:00:00", "2026-11-01 11:00:00"]


def test_rows_without_cursor_value_come_at_the_first_read(front: sqlite3.Connection, tmp_path: Path) -> None:
    """A row whose update time is empty is not lost."""
    front.execute("INSERT INTO t_jjd VALUES ('N', NULL, '')")
    front.commit()

    assert "N" in collect(source(tmp_path, cursor_field="更新时间"))[0]


def test_table_without_cursor_is_read_whole(front: sqlite3.Connection, tmp_path: Path) -> None:
    """No cursor field: every read brings everything and moves no cursor."""
    assert ([row[0] for row in ROWS], [None, None]) == collect(source(tmp_path, rows_per_page=4))


def test_query_and_renamed_cursor_column(front: sqlite3.Connection, tmp_path: Path) -> None:
    """A SELECT stands for a table; our name of the cursor column finds theirs."""
    query = 'SELECT "JJBH", "更新时间" AS "GXSJ" FROM t_jjd WHERE "JJBH" <> \'J3\';'
    made = source(
        tmp_path, table="", query=query, cursor_field="updated_at", renamed={"更新时间": "GXSJ"}, rows_per_page=3
    )

    assert collect(made)[0] == ["J0", "J1", "J2", "J4", "J5", "J6"]


def test_source_cannot_write_and_holds_no_lock(front: sqlite3.Connection, tmp_path: Path) -> None:
    """Our connection is read only, and between two pages the department can write as it likes."""
    made = source(tmp_path, cursor_field="更新时间", rows_per_page=2)
    reading = made.pages(None)
    next(reading)

    front.execute("INSERT INTO t_jjd VALUES ('J7', '2026-11-01 10:00:07', '')")
    front.commit()

    assert "J7" in [row["JJBH"] for rows, _ in reading for row in rows]
    with made.engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text("DELETE FROM t_jjd"))


def test_what_is_wrong_is_named_by_what_happens_next(front: sqlite3.Connection, tmp_path: Path) -> None:
    """Missing table or column: a person. Missing file: another try. A URL of no database: configuration."""
    for options in ({"table": "t_none"}, {"cursor_field": "none"}, {"table": "", "query": "SELEKT 1"}):
        with pytest.raises(PersonError) as caught:
            collect(source(tmp_path, **options))
        assert caught.value.code == "table.definition"
    absent = TableSource(engine=open_table_engine(f"sqlite:///{tmp_path}/absent.db"), table="t")
    with pytest.raises(RetryError):
        collect(absent)
    assert not (tmp_path / "absent.db").exists()
    with pytest.raises(ConfigurationError):
        open_table_engine("nonsense")


def test_refused_login_is_a_credentials_error() -> None:
    """MySQL's 1045 and PostgreSQL's class 28 are refused logins; the server's text stays behind."""
    refused = sa.exc.OperationalError("select", {}, Exception(1045, "Access denied for user 'hub'"))
    error = table_error(refused)

    assert isinstance(error, CredentialsError)
    assert "hub'" not in str(error)


def test_postgres_times_are_compared_as_times(postgres: Any) -> None:
    """timestamp, timestamptz and numeric columns of a real PostgreSQL page and resume like texts do."""
    url = postgres.fresh(empty=True)
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.execute(
            sa.text(
                'CREATE TABLE t ("JJBH" text, plain timestamp, zoned timestamptz, serial bigint, score numeric, raw bytea)'
            )
        )
        for n in range(5):
            at = datetime(2026, 11, 1, 10, 0, n, 500, tzinfo=UTC)
            row = {
                "a": f"J{n}",
                "b": at.replace(tzinfo=None),
                "c": at,
                "d": n,
                "e": Decimal("1.50"),
                "f": "家".encode("gb18030"),
            }
            connection.execute(sa.text("INSERT INTO t VALUES (:a, :b, :c, :d, :e, :f)"), row)
    engine = open_table_engine(url.render_as_string(hide_password=False))
    try:
        for column in ("plain", "zoned", "serial"):
            made = TableSource(engine=engine, table="public.t", cursor_field=column, rows_per_page=2)
            numbers, cursors = collect(made)
            assert numbers == ["J0", "J1", "J2", "J3", "J4"]
            assert collect(made, cursors[-1])[0] == ["J4"]
        first = next(made.pages(None))[0][0]
        assert (first["plain"], first["serial"], first["score"], first["raw"]) == (
            "2026-11-01 10:00:00.000500",
            0,
            "1.50",
            "家",
        )
        with engine.connect() as connection, pytest.raises(sa.exc.SQLAlchemyError, match="read-only"):
            connection.execute(sa.text("DELETE FROM t"))
        with pytest.raises(PersonError):
            collect(TableSource(engine=engine, table="none"))
        streamed = TableSource(engine=engine, table="t", rows_per_page=2).pages(None)
        sizes = [len(next(streamed)[0])]
        with admin.connect() as connection:
            connection.execute(sa.text('UPDATE t SET "JJBH" = "JJBH"'))  # its department writes meanwhile
        assert [*sizes, *(len(rows) for rows, _ in streamed)] == [2, 2, 1]
    finally:
        engine.dispose()
        admin.dispose()
        postgres.drop(url)


@pytest.mark.parametrize("column", ["text", "timestamp", "timestamptz"])
def test_postgres_receivers_may_keep_the_time_as_they_like(postgres: Any, column: str) -> None:
    """Text, timestamp and timestamptz columns all take a message, in district time; a repeat finds its row."""
    url = postgres.fresh(empty=True)
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with admin.connect() as connection:
        connection.execute(
            sa.text(
                f"CREATE TABLE hub_message (message_no text PRIMARY KEY, type text, body text, created_at {column})"
            )
        )
    engine = open_table_engine(url.render_as_string(hide_password=False), read_only=False)
    try:
        sender = TableSender(engine, "public.hub_message")
        at = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
        assert [sender.send("M-1", "duty", b"{}", at).detail for _ in range(2)] == ["table.inserted", "table.repeat"]
        with admin.connect() as connection:
            connection.execute(sa.text("SET TIME ZONE 'Asia/Shanghai'"))
            kept = str(connection.execute(sa.text("SELECT created_at::text FROM hub_message")).scalar_one())
        assert kept.startswith("2026-11-01 10:00:00")
    finally:
        engine.dispose()
        admin.dispose()
        postgres.drop(url)


def test_a_broken_rule_of_the_table_is_no_repeat(tmp_path: Path) -> None:
    """A NOT NULL column we do not fill refuses the message: it is not taken for one that is there already."""
    connection = sqlite3.connect(tmp_path / "out.db")
    connection.execute(
        "CREATE TABLE hub_message (message_no TEXT PRIMARY KEY, type TEXT, body TEXT, created_at TEXT, who TEXT NOT NULL)"
    )
    connection.close()
    engine = open_table_engine(f"sqlite:///{tmp_path}/out.db", read_only=False)

    told = TableSender(engine).send("M-1", "duty", b"{}", datetime(2026, 11, 1, 2, 0, tzinfo=UTC))

    assert (told.step, told.detail) == ("refused", "table.definition")


def test_messages_are_inserted_once(tmp_path: Path) -> None:
    """A repeat finds its row; a receiver without the table is a refusal a person must look at."""
    connection = sqlite3.connect(tmp_path / "out.db")
    connection.execute("CREATE TABLE hub_message (message_no TEXT PRIMARY KEY, type TEXT, body TEXT, created_at TEXT)")
    connection.commit()
    engine = open_table_engine(f"sqlite:///{tmp_path}/out.db", read_only=False)
    sender = TableSender(engine)
    at = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)

    assert [sender.send("M-1", "duty", b"{}", at).step for _ in range(2)] == ["sent", "sent"]
    assert connection.execute("SELECT * FROM hub_message").fetchall() == [
        ("M-1", "duty", "{}", "2026-11-01 10:00:00+08:00")
    ]
    assert TableSender(engine, "none").send("M-1", "duty", b"{}", at)[::3] == ("refused", "table.definition")
    connection.close()
