"""A server that goes away and comes back, of every kind that is called: one health for all who call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from hub.core.errors import PersonError, RetryError
from hub.core.records import SHANGHAI
from hub.runtime.specs import AuthSpec, SourceSpec, WaySpec
from hub.runtime.transports import Source, make_sender, make_source
from hub.sdk.endpoint import THRESHOLD, Endpoints
from tests.conftest import PostgresServer
from tests.gate import Gate
from tests.local_peer import until
from tests.mariadb_server import MariaServer
from tests.sftp_server import PASSWORD, SftpServer

PACE = (0.2, 0.4)
ROWS = {"J1", "J2", "J3"}


class Outage:
    """One server behind a gate, two streams that read it, and a way out to it."""

    def __init__(self, gate: Gate, specs: list[SourceSpec], way: WaySpec, code: str) -> None:
        self.gate, self.specs, self.code = gate, specs, code
        self.endpoints = Endpoints()
        self.sources: list[Source] = [make_source(spec, Event(), None, self.endpoints) for spec in specs]
        self.way = make_sender(way, lambda: datetime(2026, 11, 1, tzinfo=SHANGHAI), self.endpoints)

    def read(self, number: int) -> set[str]:
        return {row["no"] for rows, _ in self.sources[number].pages(None) for row in rows}

    def fails(self, number: int) -> RetryError:
        with pytest.raises(RetryError) as caught:
            self.read(number)
        return caught.value


def database(url: URL, gate: Gate) -> Outage:
    """Three rows in a table of a department's server."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as there:
        there.execute(sa.text("CREATE TABLE front (no varchar(20) PRIMARY KEY)"))
        there.execute(sa.text("INSERT INTO front VALUES ('J1'), ('J2'), ('J3')"))
        there.execute(
            sa.text(
                "CREATE TABLE hub_message (message_no varchar(40) PRIMARY KEY, type varchar(20), body text, created_at varchar(40))"
            )
        )
    query = {name: value for name, value in url.query.items() if name not in ("unix_socket", "host")}
    through = url.set(host="127.0.0.1", port=gate.port, query=query).render_as_string(hide_password=False)
    spec = SourceSpec(stream="a", transport="table", url=through, options={"table": "front"}, pace=PACE)
    return Outage(gate, [spec, spec], WaySpec(url=through, pace=PACE), "table.unavailable")


@pytest.fixture
def mysql(mariadb: MariaServer) -> Iterator[Outage]:
    gate = Gate(Path(str(mariadb.url.query["unix_socket"])))
    with mariadb.database() as url:
        yield database(url, gate)
    gate.close()


@pytest.fixture
def postgresql(postgres: PostgresServer) -> Iterator[Outage]:
    url = sa.engine.make_url(postgres.fresh())
    gate = Gate(Path(str(url.query["host"]), ".s.PGSQL.5432"))
    yield database(url, gate)
    gate.close()
    postgres.drop(url)


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Outage]:
    with ExitStack() as stack:
        server = SftpServer(tmp_path)
        stack.callback(server.close)
        gate = Gate(server.port)
        stack.callback(gate.close)
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "rows.csv").write_text("no\n" + "".join(f"{no}\n" for no in sorted(ROWS)))
        base = f"sftp://hub@127.0.0.1:{gate.port}"
        auth = AuthSpec(kind="basic", options={"host_key": server.host_key}, secret=PASSWORD)
        specs = [
            SourceSpec(
                stream=name, transport="files", auth=auth, pace=PACE, peer_seconds=20,
                options={"folder": f"{base}//{name}", "settle": timedelta(0)},
            )
            for name in ("a", "b")
        ]  # fmt: skip
        way = WaySpec(folder=f"{base}//out", auth=auth, pace=PACE, peer_seconds=20)
        yield Outage(gate, specs, way, "sftp.unavailable")


@pytest.mark.parametrize("kind", ["mysql", "postgresql", "sftp"])
def test_a_server_that_is_gone_is_left_alone_by_all(kind: str, request: pytest.FixtureRequest) -> None:
    """After five failures in a row no stream and no delivery calls it; then one asks, and its answer lets all of them in."""
    outage: Outage = request.getfixturevalue(kind)
    assert outage.read(0) == ROWS
    outage.gate.shut()
    assert {outage.fails(n % 2).code for n in range(THRESHOLD)} == {outage.code}
    came = outage.gate.came

    resting = outage.fails(1)
    sent = outage.way.send("M1", "duty", b"{}")

    assert (resting.code, sent.step, sent.detail) == (outage.code, "later", outage.code)
    assert resting.after is not None
    assert outage.gate.came == came, "while it rests nobody calls"
    outage.gate.unlock()
    assert until(lambda: outage.way.send("M1", "duty", b"{}").step == "sent")
    assert (outage.read(1), outage.way.send("M1", "duty", b"{}").step) == (ROWS, "sent")


def test_an_answer_that_is_no_is_no_outage(mysql: Outage) -> None:
    """What a server refuses is the matter of one stream: however often it refuses, the others are let in."""
    wrong = make_source(replace(mysql.specs[1], options={"table": "nowhere"}), Event(), None, mysql.endpoints)
    for _ in range(THRESHOLD + 1):
        with pytest.raises(PersonError):
            list(wrong.pages(None))

    assert mysql.read(0) == ROWS
