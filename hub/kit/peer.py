"""A department's REST interface on this machine, which can be told to misbehave as real ones do."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.kit.samples import Row
from hub.sdk.connector import Stream
from hub.sdk.cursor import is_higher

__all__ = ["RECEIPT", "Peer"]

RECEIPT = "R-0001"
"""The number under which it receives whatever is posted."""
DRIP = 0.05
"""Seconds between two bytes of an answer that never ends."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed in the middle of an answer is what we are here for."""


class Peer:
    """Serves ``rows`` page by page: ``?page=1&size=5&since=…``, newest last, as ``{"code": 0, "data": {"list": […]}}``,
    and takes whatever is posted under a receipt number. Of its days it says ``?what=counts&from=…&to=…`` (``day``, ``count``),
    ``?what=keys&day=…`` (the key's columns) and ``?what=rows&day=…``.

    ``trouble(name, after=n)``: the first n answers are good, the others are not, until ``calm()``. ``asked`` counts all.
    """

    def __init__(self, stream: Stream, updated: str) -> None:
        self.rows: Sequence[Row] = ()
        self.pages: list[list[Row]] | None = None  # given pages instead of cut ones
        self.asked = 0
        self.received: list[tuple[str, bytes]] = []  # Idempotency-Key and body of each message posted here
        self._updated = updated
        headers = {field.name: field.header or field.name for field in stream.fields}
        self._key = tuple(headers[column] for column in stream.key)
        self._trouble = ""
        self._good = 0
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/records"

    def trouble(self, name: str, after: int = 0) -> None:
        """From the answer after next ``after`` ones on: refuse, storm, garbage, cut, page, error_code, drip."""
        self._trouble, self._good, self.asked = name, after, 0

    def calm(self) -> None:
        """Good answers again."""
        self._trouble = ""

    def close(self) -> None:
        """Stop serving; an answer that drips ends too."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query: dict[str, str]) -> dict[str, Any]:
        """One page."""
        return {"code": 0, "data": {"list": self._page(query)}}

    def _page(self, query: dict[str, str]) -> list[Row]:
        number, size = int(query.get("page", "1")), int(query.get("size", "5"))
        if self.pages is not None:
            return self.pages[number - 1] if number <= len(self.pages) else []
        if what := query.get("what", ""):
            return self._of_days(what, query)[(number - 1) * size : number * size]
        since = query.get("since", "")
        rows = [row for row in self.rows if not since or not is_higher(since, str(row.get(self._updated, "")))]
        return rows[(number - 1) * size : number * size]

    def _of_days(self, what: str, query: dict[str, str]) -> list[Row]:
        """Its own account of its days: ``counts`` from one to another, ``keys`` or ``rows`` of one."""
        first, last = (query.get(name, query.get("day", "")) for name in ("from", "to"))
        found = {
            tuple(str(row.get(header, "")) for header in self._key): row
            for row in self.rows
            if first <= self._day(row) <= last
        }
        if what == "counts":
            days = Counter(self._day(row) for row in found.values())
            return [{"day": day, "count": count} for day, count in sorted(days.items())]
        return [dict(zip(self._key, key, strict=True)) for key in found] if what == "keys" else list(found.values())

    def _day(self, row: Row) -> str:
        return str(row.get(self._updated, ""))[:10]

    def _handler(peer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: in two, each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(split.query).items()}
                peer.asked += 1
                is_bad = peer._trouble and peer.asked > peer._good
                with suppress(OSError):
                    peer._serve(self, peer.answer(query), peer._trouble if is_bad else "")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                peer.asked += 1
                if not peer._trouble:
                    peer.received.append((self.headers.get("idempotency-key", ""), body))
                with suppress(OSError):
                    peer._serve(self, {"receipt_no": RECEIPT}, peer._trouble)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        return Handler

    def _serve(self, to: BaseHTTPRequestHandler, answer: dict[str, Any], trouble: str) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        if trouble == "drip":
            self._drip(to)
            return
        status, headers, body = _ANSWERS.get(trouble, lambda good: (200, {}, good))(body)
        to.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            to.send_header(name, value)
        to.end_headers()
        to.wfile.write(body)
        to.wfile.flush()
        if trouble == "cut":
            to.close_connection = True

    def _drip(self, to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "1000000")
        to.end_headers()
        while not self._ended.wait(DRIP):
            to.wfile.write(b" ")
            to.wfile.flush()


_ANSWERS: dict[str, Any] = {
    "refuse": lambda good: (401, {}, b'{"code": 401, "msg": "token expired"}'),
    "storm": lambda good: (429, {"Retry-After": "30"}, b"{}"),
    "garbage": lambda good: (200, {}, b"\x00\xff{]" * 20),
    "cut": lambda good: (200, {"Content-Length": str(len(good) + 100)}, good[: len(good) // 2]),
    "page": lambda good: (200, {"Content-Type": "text/html"}, b"<html><body>Login</body></html>"),
    "error_code": lambda good: (200, {}, b'{"code": 500, "msg": "system busy", "data": null}'),
}
"""Trouble → status, headers and body in place of the good answer."""
