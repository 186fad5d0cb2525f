from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import ConfigurationError, CredentialsError
from hub.core.freight import Parcel
from hub.core.records import Draft, Problem, StreamKey
from hub.runtime.unit_worker import UnitWorker, page_of_rows
from hub.sdk.connector import Connector
from hub.settings import Auth, DeliverConfig, Limits, SecretRef, StreamConfig
from tests.local_peer import Asked, LocalPeer
from tests.runtime.conftest import now

Make = Callable[..., UnitWorker]
Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]

CALL = {"JJBH": "J1", "更新时间": "2026-11-01 10:00:00", "报警时间": "2026-11-01 09:00:00", "警情类别": "2"}


def test_polled_rows_become_pages_with_drafts(make_worker: Make, serve: Serve) -> None:
    """A REST stream with renamed headers: the page holds the rows as they came, the drafts our words."""
    peer = serve(lambda a: (200, {}, json.dumps([CALL]).encode()))
    stream = StreamConfig(
        name="incident", transport="rest", url=peer.url, cursor_field="更新时间", fields={"接警编号": "JJBH"}
    )

    [(page, [draft])] = list(make_worker(stream).fetch("incident", None))

    assert isinstance(draft, Draft)
    assert (draft.key.no, draft.kind, draft.row) == ("J1", "police_call", 0)
    assert (page.stream, page.door, page.cursor, page.rows) == (
        StreamKey("police", "incident"),
        "poll",
        "2026-11-01 10:00:00",
        1,
    )
    assert json.loads(page.body) == [CALL]


def test_file_rows_are_numbered_from_one_over_all_pages(make_worker: Make, tmp_path: Path) -> None:
    """Each page of a file says which row it begins with, which drop it is of, and cannot land twice."""
    (tmp_path / "a.csv").write_text(
        "接警编号,警情类别\n" + "".join(f"J{n},2\n" for n in range(5)) + "J5,2,9\n", encoding="utf-8"
    )
    stream = StreamConfig(
        name="incident", transport="files", options={"folder": str(tmp_path), "settle": timedelta(milliseconds=5)}
    )

    pages = list(make_worker(stream, limits=Limits(rows_per_page=4)).fetch("incident", None))

    assert [(page.first_row, page.rows, page.door) for page, _ in pages] == [(1, 4, "file"), (5, 2, "file")]
    assert len({page.idempotency_key for page, _ in pages}) == 2
    assert all(
        page.idempotency_key == f"file:{page.cursor}" and page.cursor.startswith(f"{page.source}:") for page, _ in pages
    )
    problem = pages[1][1][1]
    assert isinstance(problem, Problem)
    assert (problem.row, problem.code, problem.rejected) == (6, "row.shape", False)


def test_columns_that_must_not_be_stored_are_gone_before_landing(police: Connector) -> None:
    """``never_store`` of the manifest works on the page itself, by header and by the name it was renamed from."""
    stream = replace(police.manifest.streams["incident"], never_store=("庇护地址",))
    guarded = replace(
        police, manifest=replace(police.manifest, streams={**police.manifest.streams, "incident": stream})
    )

    page = page_of_rows(
        guarded.manifest,
        "incident",
        [{"接警编号": "J1", "BHDZ": "某路1号"}],
        uid="u",
        received_at=now(),
        renames={"庇护地址": "BHDZ"},
    )

    assert json.loads(page.body) == [{"接警编号": "J1"}]


def test_renewed_secret_is_read_after_a_refusal(make_worker: Make, serve: Serve, tmp_path: Path) -> None:
    """The file behind the reference changes; the next poll after the 401 uses it, without a restart."""
    secret = tmp_path / "token"
    secret.write_text("old")
    secret.chmod(0o600)
    peer = serve(lambda a: (200, {}, b"[]") if a.headers["Authorization"] == "Bearer new" else (401, {}, b""))
    worker = make_worker(StreamConfig(
        name="incident", transport="rest", url=peer.url, auth=Auth(kind="bearer", secret=SecretRef(file=str(secret)))
    ))  # fmt: skip

    with pytest.raises(CredentialsError):
        list(worker.fetch("incident", None))
    secret.write_text("new")

    assert list(worker.fetch("incident", None)) == []


def test_pushed_and_unknown_streams_have_nothing_to_fetch(make_worker: Make) -> None:
    """A wrong question is a configuration error with a code, not a KeyError."""
    worker = make_worker(StreamConfig(name="incident", transport="push"))

    for stream, code in (("incident", "transport.push"), ("none", "stream.unknown")):
        with pytest.raises(ConfigurationError) as caught:
            list(worker.fetch(stream, None))
        assert caught.value.code == code


def parcel(kind: str = "mandatory_report", channel: str = "first") -> Parcel:
    return Parcel("R-1", "police", kind, b'{"report_no":"R-1"}', 1, channel)


def test_parcels_go_by_their_kind_and_channel(make_worker: Make, serve: Serve, tmp_path: Path) -> None:
    """First channel posts, second drops a file, a kind without a way waits for one."""
    peer = serve(lambda a: (200, {}, b'{"receipt_no": "77"}'))
    second = DeliverConfig(kind="mandatory_report", folder=str(tmp_path / "out"))
    worker = make_worker(deliver=(DeliverConfig(kind="mandatory_report", url=peer.url, second=second),))

    assert worker.send(parcel())[:2] == ("received", "77")
    assert worker.send(parcel(channel="second")).step == "sent"
    assert worker.send(parcel(kind="duty"))[::3] == ("later", "no_destination")
    assert peer.asked[0].body == (tmp_path / "out" / "R-1.json").read_bytes() == parcel().body
    assert hashlib.sha256(parcel().body).hexdigest() in (tmp_path / "out" / "R-1.ok").read_text()


def test_unreadable_secret_keeps_the_parcel(make_worker: Make, serve: Serve, tmp_path: Path) -> None:
    """Nothing is sent without its credential, and nothing is refused because of it."""
    peer = serve(lambda a: (200, {}, b"{}"))
    auth = Auth(kind="bearer", secret=SecretRef(file=str(tmp_path / "absent")))
    worker = make_worker(deliver=(DeliverConfig(kind="mandatory_report", url=peer.url, auth=auth),))

    assert worker.send(parcel())[::3] == ("later", "secret.unreadable")
    assert peer.asked == []


def test_probe_reaches_the_source_and_moves_nothing(make_worker: Make, tmp_path: Path) -> None:
    """A probe of a folder counts what lies there."""
    (tmp_path / "a.csv").write_text("接警编号\nJ1\n", encoding="utf-8")
    worker = make_worker(
        StreamConfig(name="incident", transport="files", options={"folder": str(tmp_path), "pattern": "*.csv"})
    )

    assert worker.probe("incident") == 1
    assert (tmp_path / "a.csv").exists()
