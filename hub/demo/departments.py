"""The simulated departments, each with real parts: HTTP servers, a front-end database, drop folders, push clients."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import sqlalchemy as sa
from openpyxl import Workbook

Row = dict[str, Any]


def wall_clock() -> str:
    """The district's time of day, as units write it."""
    return (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")


class Inbox:
    """What a unit received: each message once by its idempotency key, and every repeat counted."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.messages: dict[str, Row] = {}
        self.raw: dict[str, bytes] = {}
        self.repeats = 0
        self.changed: list[str] = []  # keys that came again with other bytes: must stay empty
        self.lock = threading.Lock()

    def take(self, key: str, kind: str, body: bytes) -> tuple[bool, str]:
        """(new, receipt number) of one message."""
        with self.lock:
            receipt = "HZ" + hashlib.sha256(f"{self.unit}/{key}".encode()).hexdigest()[:12]
            if key in self.raw:
                self.repeats += 1
                if self.raw[key] != body:
                    self.changed.append(key)
                return False, receipt
            self.raw[key] = body
            self.messages[key] = {"message_kind": kind, "message": json.loads(body)}
            return True, receipt


class Handler(BaseHTTPRequestHandler):
    """``GET /api/STREAM`` gives pages of records; ``POST /inbox/KIND`` takes a message and answers with a receipt."""

    protocol_version = "HTTP/1.1"
    department: RestDepartment

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        page, size = int(query.get("pageNo", ["1"])[0]), int(query.get("pageSize", ["50"])[0])
        rows = self.department.rows(split.path.rsplit("/", 1)[-1], query.get("since", [""])[0])
        part = rows[(page - 1) * size : page * size]
        self._answer(200, {"code": 0, "msg": "", "data": {"list": part, "total": len(rows)}})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # the sender died in mid-message: as if it had never begun
            self.close_connection = True
            return
        kind = urlsplit(self.path).path.rsplit("/", 1)[-1]
        new, receipt = self.department.inbox.take(self.headers.get("Idempotency-Key", ""), kind, body)
        if new:
            self.department.received(kind, json.loads(body))
        self._answer(200 if new else 409, {"receipt_no": receipt})

    def _answer(self, status: int, value: Row) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: the live view is what people look at."""


class Server(ThreadingHTTPServer):
    """Departments outlive their callers: a sender that dies in mid-request is no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The connection is gone; the caller will come again."""


class RestDepartment:
    """A unit with an HTTP interface of its own."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.inbox = Inbox(unit)
        self.published: dict[str, list[Row]] = defaultdict(list)
        handler = type("Handler", (Handler,), {"department": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, stream: str, rows: list[Row]) -> None:
        self.published[stream] += rows

    def rows(self, stream: str, since: str) -> list[Row]:
        """Rows of a stream updated at ``since`` or later, oldest first."""
        rows = [row for row in list(self.published[stream]) if str(row.get("更新时间", "")) >= since]
        return sorted(rows, key=lambda row: str(row.get("更新时间", "")))

    def received(self, kind: str, message: Row) -> None:
        """What a unit does with a new message; most only keep it."""

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class PoliceDepartment(RestDepartment):
    """The police: answer each report as the story says, by the victim's ID number, a moment after it came."""

    def __init__(self, unit: str, decisions: dict[str, str], pace: float) -> None:
        super().__init__(unit)
        self.decisions = decisions
        self.pace = pace  # seconds between two steps

    def received(self, kind: str, message: Row) -> None:
        if kind == "mandatory_report":
            victim = (message.get("victim") or {}).get("id_number") or ""
            steps = {
                "filed": ("已受理", "立案"), "not_substantiated": ("已受理", "不予立案"), "accepted": ("已受理",), "late": (),
            }[self.decisions.get(victim, "accepted")]  # fmt: skip
            for n, step in enumerate(steps, 1):
                timer = threading.Timer(self.pace * n, self._feed, (message["report_no"], step))
                timer.daemon = True
                timer.start()

    def _feed(self, report_no: str, step: str) -> None:
        now = wall_clock()
        row = {"反馈编号": f"FK-{report_no}-{step}", "报告编号": report_no, "环节": step, "时间": now, "更新时间": now}
        self.publish("report_feedback", [row])


class TableDepartment:
    """A unit that fills a front-end database, one table a stream."""

    def __init__(self, unit: str, path: Path) -> None:
        self.unit = unit
        self.url = f"sqlite:///{path}"
        self.engine = sa.create_engine(self.url)
        self.columns: dict[str, list[str]] = {}

    def declare(self, stream: str, columns: list[str]) -> None:
        """Creates the table of a stream, so that it can be polled before it has rows."""
        self.columns[stream] = columns
        names = ", ".join(f'"{column}" TEXT' for column in columns)
        with self.engine.begin() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
            connection.execute(sa.text(f'CREATE TABLE "{stream}" ({names})'))

    def publish(self, stream: str, rows: list[Row]) -> None:
        columns = self.columns[stream]
        table = sa.table(stream, *(sa.column(column) for column in columns))
        with self.engine.begin() as connection:
            for row in rows:
                connection.execute(table.insert().values({column: row.get(column) for column in columns}))

    def close(self) -> None:
        self.engine.dispose()


class FileDepartment:
    """A unit that drops files: CSV in GB18030, or XLSX."""

    def __init__(self, unit: str, folder: Path, form: str) -> None:
        self.unit, self.folder, self.form = unit, folder, form
        self.dropped = 0

    def publish(self, stream: str, rows: list[Row]) -> None:
        folder = self.folder / stream
        folder.mkdir(parents=True, exist_ok=True)
        self.dropped += 1
        target = folder / f"{stream}-{self.dropped:03d}.{self.form}"
        part = target.with_suffix(".part")
        columns = list(dict.fromkeys(column for row in rows for column in row))
        write = self._csv if self.form == "csv" else self._xlsx
        write(part, columns, rows)
        os.replace(part, target)

    @staticmethod
    def _csv(path: Path, columns: list[str], rows: list[Row]) -> None:
        with path.open("w", encoding="gb18030", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)

    @staticmethod
    def _xlsx(path: Path, columns: list[str], rows: list[Row]) -> None:
        book = Workbook()
        sheet = book.active
        sheet.append(columns)
        for row in rows:
            sheet.append([row.get(column, "") for column in columns])
        with path.open("wb") as file:
            book.save(file)

    def close(self) -> None:
        """Nothing to close."""


class PushDepartment:
    """A unit that pushes batches into the hub and tries again until the hub has them."""

    def __init__(self, unit: str, hub: str, token: str) -> None:
        self.unit, self.hub, self.token = unit, hub, token
        self.client = httpx.Client(timeout=10.0)
        self.waiting: list[tuple[str, str, list[Row]]] = []
        self.receipts: list[Row] = []
        self.pushed = 0

    def publish(self, stream: str, rows: list[Row]) -> None:
        self.pushed += 1
        self.waiting.append((f"{self.unit}-{self.pushed}", stream, rows))
        self.flush()

    def flush(self) -> None:
        """Sends what waits, in order; stops at the first batch the hub does not take yet."""
        while self.waiting:
            key, stream, rows = self.waiting[0]
            url = f"{self.hub}/v1/connectors/{self.unit}/streams/{stream}/records"
            headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
            try:
                answer = self.client.post(url, json={"records": rows}, headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code not in (200, 202):
                return
            self.receipts.append(answer.json())
            self.waiting.pop(0)

    def close(self) -> None:
        self.client.close()


class FileReceiver:
    """A unit behind a one-way border: takes message files, and writes receipt files that come in by the other way."""

    def __init__(self, unit: str, folder: Path, receipts: Path) -> None:
        self.inbox = Inbox(unit)
        self.folder, self.receipts = folder, receipts
        for made in (folder, receipts):
            made.mkdir(parents=True, exist_ok=True)

    def look(self) -> None:
        """Takes every complete message (its ``.ok`` is there) and answers each with a receipt file."""
        for ok in sorted(self.folder.glob("*.ok")):
            file = ok.with_suffix(".json")
            body = file.read_bytes()
            message = json.loads(body)
            number = str(message.get("message_no") or message.get("report_no"))
            new, receipt = self.inbox.take(number, str(message.get("type", "")), body)
            answer = self.receipts / f"{number}.json"
            if new and not answer.exists():
                part = answer.with_suffix(".part")
                part.write_text(json.dumps({"message_no": number, "receipt_no": receipt, "at": wall_clock()}))
                os.replace(part, answer)
