"""A real HTTP server on this machine that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.sdk.peer import Peer


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class LocalPeer:
    """``answer(asked)`` gives (status, headers, body); a callable body writes to the socket itself."""

    answer: Callable[[Asked], tuple[int, dict[str, str], Any]]
    asked: list[Asked] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)  # set at the end: dripping handlers stop

    def __post_init__(self) -> None:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                split = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
                length = int(self.headers.get("content-length") or 0)
                asked = Asked(self.command, split.path, query, dict(self.headers.items()), self.rfile.read(length))
                peer.asked.append(asked)
                status, headers, body = peer.answer(asked)
                if callable(body):
                    body(self)
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _serve

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


OPEN: list[Peer] = []


def caller(**options: Any) -> Peer:
    """A bounded client of ours; the fixture ``serve`` closes it."""
    OPEN.append(Peer(**options))
    return OPEN[-1]


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Ask again and again until the answer is true; fails after ``seconds``."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.01)
    return found
