"""From a push to the police's desk: ``python benchmarks/latency.py --rate 50 --seconds 30``.

A real daemon in a process of its own polls ten departments' real HTTP servers while a school system pushes single records
over HTTP, at fixed instants whether or not earlier ones were answered. Each of them owes a mandatory report. Measured is
the time from a record's instant to its report's arrival at the police's endpoint, and to the answer to its push.
The polled departments each show a new record a second. ``--share 0.2``: one pushed record in five owes a report.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomlkit
from line import hub
from source import id_number

from hub.demo.configure import connector, new_token
from hub.demo.daemon import Daemon
from hub.fleet import manifests

QUIET = 20.0
"""Seconds after the last push in which reports may still arrive."""
POLLED = {
    "police": "activity", "court": "divorce_suit", "procuratorate": "activity", "justice": "activity",
    "civil_affairs": "activity", "education": "activity", "health": "activity", "womens_federation": "activity",
    "youth_league": "activity", "community_grid": "activity",
}  # fmt: skip


class World(ThreadingHTTPServer):
    """Ten departments to poll, and the inbox of them all: what arrived when, by the victim's ID number."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.reports: dict[str, float] = {}
        self.messages = 0
        self.arrivals: dict[str, list[float]] = defaultdict(list)  # unit → when it was polled, wall clock

    @property
    def polls(self) -> int:
        return sum(map(len, self.arrivals.values()))

    def news(self, unit: str) -> list[dict[str, str]]:
        """A department's newest rows: an activity a second."""
        at = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        return [{"编号": "HD" + at.translate(str.maketrans("", "", "- :")), "时间": at, "更新时间": at}]

    def told(self, unit: str) -> None:
        """Its answer is out."""

    def handle_error(self, *_: object) -> None:
        """Silent: a daemon that ends hangs up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: World

    def do_GET(self) -> None:
        """What is new of this unit."""
        unit = self.path.partition("?")[0].rpartition("/")[2]
        self.server.arrivals[unit].append(time.time())
        rows = self.server.news(unit)
        self._answer({"code": 0, "data": {"list": rows, "total": len(rows)}})
        self.server.told(unit)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        now = time.perf_counter()
        self.server.messages += 1
        if self.path.endswith("mandatory_report"):
            victim = json.loads(body).get("victim") or {}
            self.server.reports.setdefault(victim.get("id_number", ""), now)
        self._answer({"receipt_no": self.headers.get("Idempotency-Key", "")})

    def _answer(self, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


def configured(folder: Path, address: str, units: Collection[str] = tuple(POLLED)) -> tuple[str, str]:
    """(address of the hub, push token of education) of a folder with all ten connectors at work, or some of them."""
    hub(folder, "init", str(folder))
    port = free_port()
    main = tomlkit.parse((folder / "hub.toml").read_text(encoding="utf-8"))
    main["http"]["listen"] = f"127.0.0.1:{port}"
    (folder / "hub.toml").write_text(tomlkit.dumps(main), encoding="utf-8")
    token = new_token()
    for unit in units:
        names = [POLLED[unit]] if POLLED[unit] in manifests()[unit].streams else list(manifests()[unit].streams)[:1]
        polled = {
            "transport": "rest", "url": f"{address}/api/{unit}", "records": "data.list", "total": "data.total",
            "page": {"size": 50, "param": "pageNo"}, "schedule": {"every": "1s"},
        }  # fmt: skip
        connector(
            folder, unit, lambda stream, polled=polled: polled, names,
            lambda kind, unit=unit: {"url": f"{address}/inbox/{unit}/{kind}"}, token if unit == "education" else "",
        )  # fmt: skip
    return f"http://127.0.0.1:{port}", token


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
        return int(probe.server_address[1])


def concern(number: int, draw: random.Random, *, owes: bool) -> dict[str, str]:
    """What a school notes about one child nobody knows yet; ``owes``: it suspects violence at home."""
    at = datetime.now()
    born = draw.randrange(2012, 2019)
    return {
        "编号": f"GQ{number:07d}",
        "发现时间": f"{at - timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
        "更新时间": f"{at:%Y-%m-%d %H:%M:%S}",
        "学校": "虚构第一小学",
        "类型": "疑似家暴" if owes else "其他",
        "学生姓名": f"甲{number}",
        "学生证件号码": id_number(draw, born),
        "学生性别": "女",
        "学生住址": f"虚构路{number}弄1号201室",
        "监护人姓名": f"乙{number}",
        "监护人联系电话": f"138{number:08d}",
        "与对方关系": "子女",
        "报告人姓名": "丙",
        "社区编码": "310101001001",
    }


class School:
    """Pushes one record an instant over kept connections."""

    def __init__(self, address: str, token: str, connections: int) -> None:
        self.place = urlsplit(address).netloc
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.local = threading.local()
        self.pool = ThreadPoolExecutor(connections)
        self.due: dict[str, float] = {}
        self.answered: list[float] = []
        self.refused = 0

    def push(self, row: dict[str, str], due: float) -> None:
        try:
            link = self.local.link
        except AttributeError:
            link = self.local.link = http.client.HTTPConnection(self.place, timeout=60)
        body = json.dumps({"records": [row]}, ensure_ascii=False).encode()
        link.request("POST", "/v1/connectors/education/streams/concern/records", body, self.headers)
        answer = link.getresponse()
        told = json.loads(answer.read())
        if answer.status not in (200, 202) or told.get("quarantined") or told.get("rejected"):
            self.refused += 1
        self.answered.append(time.perf_counter() - due)

    def run(self, rate: float, seconds: float, share: float, draw: random.Random, first: int = 0) -> None:
        """Push at fixed instants; returns when the last is sent."""
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            row = concern(first + number, draw, owes=draw.random() < share)
            time.sleep(max(0.0, due - time.perf_counter()))
            if row["类型"] == "疑似家暴":
                self.due[row["学生证件号码"]] = due
            self.pool.submit(self.push, row, due)
        self.pool.shutdown(wait=True)


def spread(name: str, seconds: list[float]) -> None:
    """p50, p99 and the worst of some spans, in ms."""
    found = sorted(seconds)
    p50, p99 = statistics.median(found), found[min(len(found) - 1, int(len(found) * 0.99))]
    print(f"{name:32}{len(found):7}{p50 * 1000:10.0f}{p99 * 1000:10.0f}{found[-1] * 1000:10.0f}")


def processor(pid: int) -> float:
    """Processor seconds a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=50.0, help="records a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--share", type=float, default=1.0, help="of the records that owe a report")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--keep", type=Path, help="leave the folder here")
    options = parser.parse_args()
    draw = random.Random(5)
    world = World()
    threading.Thread(target=world.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as made:
        folder = (options.keep or Path(made)) / "hub"
        address, token = configured(folder, world.address)
        daemon = Daemon(folder, address)
        daemon.start()
        daemon.wait_ready()
        School(address, token, options.connections).run(10, 3, 1.0, draw)  # connections, processes and plans are warm
        assert daemon.process is not None
        before, polls, messages, began = processor(daemon.process.pid), world.polls, world.messages, time.perf_counter()
        school = School(address, token, options.connections)
        school.run(options.rate, options.seconds, options.share, draw, first=1000)
        end = time.perf_counter() + QUIET
        while len(world.reports.keys() & school.due.keys()) < len(school.due) and time.perf_counter() < end:
            time.sleep(0.05)
        taken, lasted = processor(daemon.process.pid) - before, time.perf_counter() - began
        polls, messages = world.polls - polls, world.messages - messages
        code = daemon.stop()
    arrived = [world.reports[victim] - due for victim, due in school.due.items() if victim in world.reports]
    print(f"{'ms':32}{'n':>7}{'p50':>10}{'p99':>10}{'max':>10}")
    spread("push → report at the police", arrived)
    spread("push → answer", school.answered)
    print(
        f"{options.rate:g} records/s for {lasted:.0f} s; {polls / lasted:.1f} polls/s, {messages / lasted:.0f} messages/s; "
        f"{taken / lasted:.2f} of a core in the hub's process; {len(school.due) - len(arrived)} reports missing, "
        f"{school.refused} refused; exit {code}"
    )
    sys.exit(0 if len(arrived) == len(school.due) and not school.refused and code == 0 else 1)


if __name__ == "__main__":
    main()
