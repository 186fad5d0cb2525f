"""A department's MySQL: everything against a real MariaDB server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from hub.core.errors import CredentialsError, PersonError, RetryError
from hub.runtime.boundary import Boundary
from hub.sdk.database import open_table_engine
from hub.sdk.table import TableSender, TableSource
from tests.mariadb_server import MariaServer

TABLE = """CREATE TABLE t_jjd (
    JJBH varchar(20) PRIMARY KEY, XM varchar(20), 备注 text, ZT tinyint(1), SCBZ bit(1), JE decimal(10,2),
    ZJHM decimal(18,0), RQ date, 更新时间 datetime NULL, TS timestamp NULL, WX datetime(6) NULL) CHARACTER SET utf8mb4"""
AT = datetime(2026, 11, 1, 10, 0)


class Front:
    """The front-end database as its department sees it."""

    def __init__(self, server: MariaServer, url: URL) -> None:
        self.server = server
        self.url = url
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        self.run(TABLE)

    def run(self, statement: str, rows: list[dict[str, Any]] | None = None) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.text(statement), rows)

    def add(self, rows: list[tuple[str, datetime | None]]) -> None:
        """Rows of a number and an update time; everything else is empty."""
        self.run(
            "INSERT INTO t_jjd (JJBH, 更新时间, WX) VALUES (:no, :at, :at)", [{"no": no, "at": at} for no, at in rows]
        )

    def source(self, **options: Any) -> TableSource:
        url = self.url.render_as_string(hide_password=False)
        return TableSource(
            engine=open_table_engine(url),
            **{"table": "t_jjd", "cursor_field": "更新时间", "rows_per_page": 3, **options},
        )


@pytest.fixture
def front(mariadb: MariaServer) -> Iterator[Front]:
    with mariadb.database() as url:
        yield Front(mariadb, url)


def collect(source: TableSource, cursor: str | None = None) -> tuple[list[str], list[str | None]]:
    pages = list(source.pages(cursor))
    return [row["JJBH"] for rows, _ in pages for row in rows], [at for _, at in pages]


def test_values_of_mysql_come_as_json_values(front: Front) -> None:
    """utf8mb4 names beyond the basic plane, NULL, tinyint and bit flags, DECIMAL, zero dates, and TIMESTAMP in district time."""
    with front.engine.connect() as connection:
        connection.execute(sa.text("SET SESSION sql_mode = '', time_zone = '+00:00'"))
        connection.execute(
            sa.text(
                "INSERT INTO t_jjd VALUES ('J1', '𠮷田家', NULL, 1, b'1', 12.50, 310101199001011234, '2026-11-01',"
                " '2026-11-01 10:00:00', '2026-11-01 02:00:00', '0000-00-00 00:00:00'),"
                " ('J2', '张三', '家 \\:x 100%', 0, b'0', 3.00, NULL, NULL, '2026-11-01 10:00:00', NULL, NULL)"
            )
        )

    [(rows, cursor)] = front.source().pages(None)

    first, second = sorted(rows, key=lambda row: row["JJBH"])
    assert cursor == "2026-11-01 10:00:00"
    assert first == {
        "JJBH": "J1", "XM": "𠮷田家", "备注": None, "ZT": 1, "SCBZ": 1, "JE": "12.50", "ZJHM": 310101199001011234,
        "RQ": "2026-11-01", "更新时间": "2026-11-01 10:00:00", "TS": "2026-11-01 10:00:00", "WX": "0000-00-00 00:00:00.000000",
    }  # fmt: skip
    assert (second["备注"], second["ZT"], second["SCBZ"], second["JE"], second["TS"]) == ("家 :x 100%", 0, 0, 3, None)


def test_rows_of_one_second_are_not_torn_and_the_boundary_lands_once(front: Front) -> None:
    """Eight rows share a second with pages of three; the next read brings that second again, and only the new row lands."""
    front.add([("A", AT - timedelta(minutes=1)), *((f"B{n}", AT) for n in range(8)), ("N", None)])
    landed = Boundary()
    read: list[str] = []
    cursor = None
    for rows, at in front.source().pages(None):
        fresh, marks = landed.fresh(rows)
        landed.landed(marks)
        read += [row["JJBH"] for row in fresh]
        cursor = at or cursor
    assert sorted(read) == ["A", *(f"B{n}" for n in range(8)), "N"]
    assert cursor == "2026-11-01 10:00:00"

    front.add([("B8", AT)])
    again = [row for rows, _ in front.source().pages(cursor) for row in rows]

    assert len(again) == 9
    assert [row["JJBH"] for row in landed.fresh(again)[0]] == ["B8"]


def test_read_goes_back_by_the_overlap_to_the_microsecond(front: Front) -> None:
    """DATETIME and DATETIME(6) columns resume inclusively, with an overlap earlier, and never move the cursor back."""
    front.add([(f"J{n}", AT + timedelta(minutes=n, microseconds=500)) for n in range(7)])
    numbers, cursors = collect(front.source(cursor_field="WX"))

    assert numbers == [f"J{n}" for n in range(7)]
    assert cursors[-1] == "2026-11-01 10:06:00.000500"
    assert collect(front.source(cursor_field="WX"), cursors[-1]) == (["J6"], [cursors[-1]])
    assert collect(front.source(overlap=timedelta(minutes=2)), "2026-11-01 10:06:00") == (
        ["J4", "J5", "J6"],
        ["2026-11-01 10:06:00", "2026-11-01 10:06:00"],
    )


def test_query_may_hold_colons_and_percent_signs(front: Front) -> None:
    """A department's SELECT goes to the server as it is written."""
    front.add([("J1", AT), ("J2", AT)])
    query = (
        "SELECT JJBH, DATE_FORMAT(更新时间, '%Y-%m-%d %H:%i:%s') AS GXSJ, ' :x' AS X FROM t_jjd WHERE JJBH LIKE '%1';"
    )

    [(rows, cursor)] = front.source(table="", query=query, renamed={"更新时间": "GXSJ"}).pages(None)

    assert rows == [{"JJBH": "J1", "GXSJ": "2026-11-01 10:00:00", "X": " :x"}]
    assert cursor == "2026-11-01 10:00:00"


def test_whole_table_comes_in_pages_while_its_department_writes(front: Front) -> None:
    """Without a cursor column the result is streamed; nothing of ours keeps the department from writing."""
    front.add([(f"J{n}", AT) for n in range(10)])
    reading = front.source(cursor_field="").pages(None)
    first, _ = next(reading)
    front.run("UPDATE t_jjd SET XM = '改'")

    assert [len(first), *(len(rows) for rows, _ in reading)] == [3, 3, 3, 1]


def test_our_session_cannot_write(front: Front) -> None:
    """The server itself refuses: the session is read only, and the error says whose mistake it is."""
    front.add([("J1", AT)])
    with front.source().engine.connect() as connection, pytest.raises(sa.exc.SQLAlchemyError, match="READ ONLY"):
        connection.execute(sa.text("DELETE FROM t_jjd"))


def test_errors_are_classed_by_what_happens_next(front: Front) -> None:
    """No such table, column or database: a person. A refused login or a missing right: credentials. No server: later."""
    for options in ({"table": "none"}, {"cursor_field": "none"}, {"table": "", "query": "SELEKT 1"}):
        with pytest.raises(PersonError) as caught:
            collect(front.source(**options))
        assert caught.value.code == "table.definition"
    name = front.url.database
    front.server.run(
        "CREATE USER IF NOT EXISTS 'poor'@'localhost' IDENTIFIED BY 'secret'",
        f"GRANT CREATE ON {name}.* TO 'poor'@'localhost'",
    )
    for password in ("secret", "wrong"):
        poor = front.url.set(username="poor", password=password).render_as_string(hide_password=False)
        with pytest.raises(CredentialsError) as denied:
            collect(TableSource(engine=open_table_engine(poor), table="t_jjd"))
        assert "poor" not in str(denied.value)
    absent = "mysql://hub:secret@127.0.0.1:1/front"
    with pytest.raises(RetryError):
        collect(TableSource(engine=open_table_engine(absent), table="t_jjd"))
    lost = front.url.set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(PersonError):
        collect(TableSource(engine=open_table_engine(lost), table="t_jjd"))


def test_message_is_inserted_once_and_whole(front: Front) -> None:
    """A repeat finds its row; the time stands in district time; a column too small or a rule of the table is a refusal."""
    front.run(
        "CREATE TABLE hub_message (message_no varchar(64) PRIMARY KEY, type varchar(32), body longtext, created_at datetime)"
    )
    front.run("CREATE TABLE small (message_no varchar(64) PRIMARY KEY, type varchar(32), body varchar(5), created_at datetime)")  # fmt: skip
    front.run(
        "CREATE TABLE strict_one (message_no varchar(64) PRIMARY KEY, type varchar(32), body text, created_at datetime,"
        " 接收人 varchar(20) NOT NULL)"
    )
    front.server.run("SET GLOBAL sql_mode = ''")  # a server that cuts what is too long, as many do
    try:
        engine = open_table_engine(front.url.render_as_string(hide_password=False), read_only=False)
        at, body = datetime(2026, 11, 1, 2, 0, tzinfo=UTC), '{"name":"𠮷"}'.encode()

        sender = TableSender(engine)
        details = [sender.send("M-1", "duty", body, at).detail for _ in range(2)]

        assert details == ["table.inserted", "table.repeat"]
        with front.engine.connect() as connection:
            found = connection.execute(sa.text("SELECT * FROM hub_message")).fetchall()
        assert [("M-1", "duty", '{"name":"𠮷"}', datetime(2026, 11, 1, 10, 0))] == found
        for table in ("small", "strict_one", "none"):
            assert TableSender(engine, table).send("M-1", "duty", body, at)[::3] == ("refused", "table.definition")
    finally:
        front.server.run("SET GLOBAL sql_mode = DEFAULT")
