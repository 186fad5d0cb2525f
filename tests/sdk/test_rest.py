from __future__ import annotations

import gzip
import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.errors import CredentialsError, HubError, PersonError, RetryError
from hub.sdk.cursor import earlier, spell
from hub.sdk.post import PostSender
from hub.sdk.rest import PageStyle, RestSource
from tests.local_peer import Asked, LocalPeer, caller

Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]

ROWS = [{"no": f"J{n}", "更新时间": f"2026-11-01 10:00:{n:02d}"} for n in range(7)]


def ok(value: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return 200, headers, json.dumps(value, ensure_ascii=False).encode()


def source(peer: LocalPeer, *, seconds: float = 5.0, max_bytes: int = 10_000_000, **options: Any) -> RestSource:
    return RestSource(peer=caller(seconds=seconds, max_bytes=max_bytes), url=f"{peer.url}/api", **options)


def collect(source: RestSource, cursor: str | None = None) -> tuple[list[dict[str, Any]], list[str | None]]:
    pages = list(source.pages(cursor))
    return [row for rows, _ in pages for row in rows], [cursor for _, cursor in pages]


def test_numbered_pages_are_read_to_the_total(serve: Serve) -> None:
    """Page number and size go out under the configured names; the total says when to stop."""
    peer = serve(
        lambda a: ok({"code": 0, "msg": "", "data": {"list": ROWS[(int(a.query["pageNo"]) - 1) * 3 :][:3], "total": 7}})
    )

    rows, cursors = collect(source(
        peer, page=PageStyle.of({"size": 3, "param": "pageNo", "size_param": "pageSize"}), records="data.list",
        total="data.total", cursor_field="更新时间", params={"area": "310101"},
    ))  # fmt: skip

    assert rows == ROWS
    assert cursors == ["2026-11-01 10:00:02", "2026-11-01 10:00:05", "2026-11-01 10:00:06"]
    assert [{"area": "310101", "pageNo": str(n), "pageSize": "3"} for n in (1, 2, 3)] == [a.query for a in peer.asked]


def test_offset_token_and_link_pages_are_read_to_their_end(serve: Serve) -> None:
    """The three other page styles give the same rows."""
    offset = serve(lambda a: ok(ROWS[int(a.query["start"]) :][:3]))
    token = serve(
        lambda a: ok(
            {
                "records": ROWS[int(a.query.get("t") or 0) :][:3],
                "meta": {"next": {"": 3, "3": 6}.get(a.query.get("t", ""))},
            }
        )
    )

    def linked(asked: Asked) -> tuple[int, dict[str, str], bytes]:
        start = int(asked.query.get("from", 0))
        more = {"Link": f'</api?from={start + 3}>; rel="next"'} if start < 6 else {}
        return ok(ROWS[start:][:3], **more)

    link = serve(linked)

    assert collect(source(offset, page=PageStyle.of({"style": "offset", "param": "start", "size": 3})))[0] == ROWS
    assert collect(source(token, page=PageStyle.of({"style": "cursor", "param": "t", "next": "meta.next"})))[0] == ROWS
    assert collect(source(link, page=PageStyle.of({"style": "link"})))[0] == ROWS


def test_next_link_on_another_host_is_refused(serve: Serve) -> None:
    """Our credential goes to the configured host and nowhere else."""
    peer = serve(lambda a: ok(ROWS, Link='<http://127.0.0.1:1/steal>; rel="next"'))

    with pytest.raises(PersonError) as caught:
        collect(source(peer, page=PageStyle.of({"style": "link"})))

    assert caught.value.code == "rest.foreign_link"


def test_read_starts_at_the_cursor_minus_the_overlap(serve: Serve) -> None:
    """The since value is spelled as the source spells it, under its own header or the configured name."""
    peer = serve(lambda a: ok([]))

    collect(
        source(peer, cursor_field="更新时间", overlap=timedelta(minutes=10), renamed={"更新时间": "GXSJ"}),
        "2026-11-01 00:05:00",
    )
    collect(source(peer, cursor_field="更新时间", since_param="from", since_format="ms"), "2026-11-01 00:05:00")

    assert peer.asked[0].query == {"GXSJ": "2026-10-31 23:55:00"}
    assert {"from": str(int(datetime(2026, 10, 31, 16, 5, tzinfo=UTC).timestamp() * 1000))} == peer.asked[1].query


def test_unordered_pages_move_the_cursor_only_at_the_end(serve: Serve) -> None:
    """Newest first: a kill between two pages must not hide the older ones, so the cursor comes last."""
    newest_first = list(reversed(ROWS))
    peer = serve(lambda a: ok(newest_first[(int(a.query["page"]) - 1) * 3 :][:3]))

    rows, cursors = collect(source(peer, page=PageStyle.of({"size": 3, "param": "page"}), cursor_field="更新时间"))

    assert newest_first == rows
    assert cursors == [None, None, None, "2026-11-01 10:00:06"]


def test_value_from_the_far_future_does_not_become_the_cursor(serve: Serve) -> None:
    """One typing error in the update time may not hide all later records."""
    peer = serve(lambda a: ok([*ROWS, {"no": "X", "更新时间": "2099-01-01 00:00:00"}]))

    rows, cursors = collect(source(peer, cursor_field="更新时间"))

    assert len(rows) == 8
    assert cursors == ["2026-11-01 10:00:06"]


def test_peer_that_caps_pages_below_our_size_is_read_on(serve: Serve) -> None:
    """We ask for 500, the peer gives at most 10: a round short page is not taken for the last one."""
    many = [{"no": n} for n in range(25)]
    peer = serve(lambda a: ok(many[(int(a.query["p"]) - 1) * 10 :][:10]))

    assert many == collect(source(peer, page=PageStyle.of({"size": 500, "param": "p"})))[0]


@pytest.mark.parametrize("end", [(200, {}, b"[]"), (404, {}, b"")])
def test_peer_that_chooses_the_page_size_is_read_to_its_end(
    serve: Serve, end: tuple[int, dict[str, str], bytes]
) -> None:
    """We do not say how many rows we want, the peer gives seven: read until it has no more, or has no such page."""
    many = [{"no": n} for n in range(17)]
    peer = serve(lambda a: ok(many[(int(a.query["p"]) - 1) * 7 :][:7]) if int(a.query["p"]) < 4 else end)

    assert collect(source(peer, page=PageStyle.of({"size": 500, "param": "p"})))[0] == many


def test_peer_that_ignores_paging_is_read_once_or_named(serve: Serve) -> None:
    """A short list that comes again is the whole list; a full page that comes again is a wrong page parameter."""
    short = serve(lambda a: ok([{"no": n} for n in range(10)]))
    full = serve(lambda a: ok([{"no": n} for n in range(20)]))

    assert len(collect(source(short, page=PageStyle.of({"size": 20, "param": "p"})))[0]) == 10
    with pytest.raises(PersonError) as caught:
        collect(source(full, page=PageStyle.of({"size": 20, "param": "p"})))
    assert caught.value.code == "rest.page_repeats"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(401, CredentialsError, "http.401"), (403, CredentialsError, "http.403"), (404, PersonError, "http.404"), (302, PersonError, "http.302"),
     (500, RetryError, "http.500"), (503, RetryError, "http.503"), (429, RetryError, "http.429")],
)  # fmt: skip
def test_status_decides_what_happens_next(serve: Serve, status: int, error: type[HubError], code: str) -> None:
    """Credentials, a person, or another try; a redirect is never followed."""
    peer = serve(lambda a: (status, {"Location": "/other", "Retry-After": "30"}, b""))

    with pytest.raises(error) as caught:
        collect(source(peer))

    assert code == caught.value.code
    assert {"/api"} == {asked.path for asked in peer.asked}
    if error is RetryError:
        assert caught.value.after == 30.0
        assert len(peer.asked) == 1  # a wait that long is the schedule's business


def test_short_trouble_is_waited_out_within_the_call(serve: Serve) -> None:
    """Two failures and then an answer are one successful read; the short Retry-After is honoured."""
    answers = iter([(503, {"Retry-After": "0.1"}, b""), (500, {}, b""), ok(ROWS)])
    peer = serve(lambda a: next(answers))

    started = time.monotonic()
    assert collect(source(peer))[0] == ROWS
    assert time.monotonic() - started >= 0.1
    assert len(peer.asked) == 3


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (b"<html>maintenance</html>", RetryError, "peer.json.syntax"),
        (b'[{"a": NaN}]', RetryError, "peer.json.not_a_number"),
        (b'[{"a": 1, "a": 2}]', RetryError, "peer.json.duplicate_key"),
        (b"[" * 40 + b"]" * 40, RetryError, "peer.json.too_deep"),
        (b"[" * 100_000, RetryError, "peer.json.too_deep"),
        (b'{"code": 500, "msg": "x"}', RetryError, "peer.busy"),
        (b'{"code": "401", "msg": "x"}', CredentialsError, "peer.refused"),
        (b'{"code": 7, "data": null}', PersonError, "peer.code"),
        (b'{"code": 0, "answer": []}', PersonError, "rest.no_records"),
        (b'{"data": [1, 2]}', PersonError, "rest.no_records"),
    ],
)
def test_answer_that_is_no_list_of_records_is_an_error_not_an_empty_answer(
    serve: Serve, body: bytes, error: type[HubError], code: str
) -> None:
    """Garbage, refusals in a wrapper and unexpected shapes never count as heard."""
    peer = serve(lambda a: (200, {}, body))

    with pytest.raises(error) as caught:
        collect(source(peer, seconds=1.0))

    assert code == caught.value.code


def test_configured_place_that_is_absent_is_an_error(serve: Serve) -> None:
    """``records = "data.list"`` with no such member is a wrong configuration; null there is an empty answer."""
    absent = serve(lambda a: ok({"code": 0, "data": {}}))
    null = serve(lambda a: ok({"code": 0, "data": {"list": None}}))

    with pytest.raises(PersonError):
        collect(source(absent, records="data.list"))
    assert collect(source(null, records="data.list"))[0] == []


def _drip_headers(peer: LocalPeer) -> Callable[[Any], None]:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
        while not peer.release.wait(0.05):
            handler.wfile.write(b"a")

    return drip


def _drip_body(peer: LocalPeer) -> Callable[[Any], None]:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[")
        while not peer.release.wait(0.05):
            handler.wfile.write(b" ")

    return drip


@pytest.mark.parametrize("drip", [_drip_headers, _drip_body])
def test_dripping_peer_is_left_at_the_deadline(serve: Serve, drip: Callable[[LocalPeer], Any]) -> None:
    """A byte now and then keeps no call alive: the whole call ends at its deadline."""
    peers: list[LocalPeer] = []
    peers.append(serve(lambda a: (200, {}, drip(peers[0]))))

    started = time.monotonic()
    with pytest.raises(RetryError) as caught:
        caller(seconds=0.4, max_bytes=1_000_000).call("GET", peers[0].url)

    assert caught.value.code == "peer.timeout"
    assert time.monotonic() - started < 30


def test_answer_beyond_the_byte_cap_is_refused(serve: Serve) -> None:
    """Declared, undeclared or packed: more bytes than allowed are never held."""
    big = serve(lambda a: (200, {}, b"x" * 2_000))
    bomb = serve(lambda a: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_000_000)))
    packed = serve(lambda a: (200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(ROWS[:2]).encode())))

    for peer in (big, bomb):
        with pytest.raises(PersonError) as caught:
            caller(seconds=5, max_bytes=1_000).call("GET", peer.url)
        assert caught.value.code == "peer.too_large"
    assert ROWS[:2] == collect(source(packed))[0]


def test_half_open_and_reset_connections_are_worth_another_try(serve: Serve) -> None:
    """Cut off in the body, or nobody there at all: both are tried again later."""
    cut = serve(lambda a: (200, {}, lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1")))
    gone = serve(lambda a: ok([]))
    gone.server.server_close()

    for peer in (cut, gone):
        with pytest.raises(RetryError):
            caller(seconds=1, max_bytes=1_000).call("GET", peer.url)


def test_urls_are_never_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """httpx prints URLs with their query at INFO; the peer module silences it."""
    peer = serve(lambda a: ok([]))

    with caplog.at_level(logging.INFO):
        collect(source(peer, params={"cert": "310101199001011234"}))

    assert "310101" not in caplog.text


@pytest.mark.parametrize(
    ("raw", "before"),
    [
        ("2026-11-01 00:05:00", "2026-10-31 23:55:00"), ("2026/11/01 00:05:00", "2026/10/31 23:55:00"),
        ("20261101000500", "20261031235500"), ("2026-11-01T00:05:00+08:00", "2026-10-31T23:55:00+08:00"),
        ("2026-11-01T00:05:00Z", "2026-10-31T23:55:00Z"), ("2026-11-01T00:05:00.250", "2026-10-31T23:55:00.250000"),
        ("1761926700000", "1761926100000"), ("1761926700", "1761926100"), ("20261101", "20261031"), ("4711", "4711"), ("A-9", "A-9"),
    ],
)  # fmt: skip
def test_overlap_keeps_the_spelling_of_the_source(raw: str, before: str) -> None:
    """Ten minutes earlier, written the way the source writes; serial numbers have no earlier."""
    assert before == earlier(raw, timedelta(minutes=10))
    assert raw == earlier(raw, timedelta(0)) == spell(raw, "")


@pytest.mark.parametrize(
    ("answer", "step", "number", "detail"),
    [
        ((201, {}, b'{"receipt_no": "R-1"}'), "received", "R-1", "http.201"),
        ((200, {}, b'{"code": 0, "data": {"receipt_no": 77}}'), "received", "77", "http.200"),
        ((200, {}, b"thank you"), "sent", None, "http.200"),
        ((204, {}, b""), "sent", None, "http.204"),
        ((202, {}, b"{}"), "sent", None, "http.202"),
        ((409, {}, b'{"receipt_no": "R-1"}'), "received", "R-1", "http.409"),
        ((429, {"Retry-After": "7"}, b""), "later", None, "http.429"),
        ((503, {}, b""), "later", None, "http.503"),
        ((401, {}, b""), "refused", None, "credentials"),
        ((422, {}, b""), "refused", None, "http.422"),
    ],
)
def test_answer_to_a_message_is_one_of_four_steps(
    serve: Serve, answer: tuple[int, dict[str, str], bytes], step: str, number: str | None, detail: str
) -> None:
    """received with number (409 too), sent without, later, refused; the bytes and the key go out as they are."""
    peer = serve(lambda a: answer)

    outcome = PostSender(caller(seconds=5, max_bytes=10_000), peer.url).send("M-1", b'{"report_no":"M-1"}')

    assert (step, number, detail) == (outcome.step, outcome.number, outcome.detail)
    assert (7.0 if answer[0] == 429 else None) == outcome.after
    assert [(a.headers["Idempotency-Key"], a.body) for a in peer.asked] == [("M-1", b'{"report_no":"M-1"}')]


def test_unreachable_receiver_is_tried_later(serve: Serve) -> None:
    """Nobody there is *later*, never an exception."""
    peer = serve(lambda a: ok({}))
    peer.server.server_close()

    assert PostSender(caller(seconds=1, max_bytes=100), peer.url).send("M-1", b"{}").step == "later"
