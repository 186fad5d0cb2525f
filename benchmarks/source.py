"""A department's paged HTTP server with invented police calls in Chinese columns, for the benchmarks.

Run alone it prints its address on one line and serves until its standard input closes:
``python benchmarks/source.py --records 100000``. Every page is made before the first request, so that the server's own
work does not count.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
from bisect import bisect_left
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉梅红建国"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PAGE = 500


def id_number(draw: random.Random, year: int) -> str:
    """An invented resident ID number whose check character is right (GB 11643)."""
    day = datetime(year, 1, 1) + timedelta(days=draw.randrange(365))
    body = f"310101{day:%Y%m%d}{draw.randrange(1000):03d}"
    found = body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]
    return id_number(draw, year) if found.endswith("000") else found  # the hub takes that for a spreadsheet's work


def person(draw: random.Random) -> dict[str, str]:
    return {
        "姓名": draw.choice(SURNAMES) + draw.choice(GIVEN) + draw.choice(GIVEN),
        "证件号码": id_number(draw, draw.randrange(1950, 2005)),
        "联系电话": f"139{draw.randrange(10**8):08d}",
        "住址": f"长宁路{draw.randrange(2000)}弄{draw.randrange(60)}号{draw.randrange(2000)}室",
    }


def rows(count: int, seed: int = 20210830, *, numbered: bool = False) -> list[dict[str, str]]:
    """``count`` police calls over ``count / 3`` couples: first, second and third calls of the same people.

    As the police send them: name and telephone, an ID number in one call of four, and often of the caller alone.
    ``numbered``: both parties with an ID number in every call, the most there is to do.
    """
    draw = random.Random(seed)
    couples = [(person(draw), person(draw)) for _ in range(max(1, count // 3))]
    start = datetime(2026, 11, 20) - timedelta(seconds=count * 200)
    return [_call(draw, number, start + timedelta(seconds=number * 200), couples, numbered) for number in range(count)]


def _call(
    draw: random.Random, number: int, at: datetime, couples: list[tuple[dict[str, str], dict[str, str]]], numbered: bool
) -> dict[str, str]:
    first, second = draw.choice(couples)
    row = {
        "接警编号": f"JJ{number:09d}",
        "报警时间": at.strftime("%Y-%m-%d %H:%M:%S"),
        "更新时间": at.strftime("%Y-%m-%d %H:%M:%S"),
        "警情类别": draw.choice("1112"),
        "冲突程度": draw.choice(("1", "1", "2", "")),
        "肢体冲突": draw.choice(("是", "否", "否", "")),
        "伤情": draw.choice(("0", "0", "1", "")),
        "处警结果": draw.choice("12359"),
        "地址": first["住址"],
        "报警内容": "邻居反映夫妻争吵，民警到场处置。",
        "社区编码": f"31010100100{draw.randrange(1, 9)}",
        "与对方关系": "配偶",
    }
    known, both = numbered or draw.random() < 0.25, numbered or draw.random() < 0.5
    for prefix, who in (("甲方", first), ("乙方", second if both else {})):
        row |= {prefix + column: value for column, value in who.items() if known or column != "证件号码"}
    return row


class Calls(ThreadingHTTPServer):
    """``?pageNo=1`` → ``{"code": 0, "data": {"list": […], "total"}}``, 500 a page; with ``since`` from that update time on.

    ``shown``: how many of its records it has by now. ``asked``: requests so far.
    """

    daemon_threads = True

    def __init__(self, count: int, *, numbered: bool = False) -> None:
        self.made = rows(count, numbered=numbered)
        self.times = [row["更新时间"] for row in self.made]
        self.shown, self.asked = count, 0
        whole = [(0, at) for at in range(0, count, PAGE)]
        self.ready = {at: self.body(*at) for at in whole}  # made before the first request: it does not count
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/incidents"

    def page(self, number: int, since: str) -> bytes:
        """The body of one page."""
        begin = bisect_left(self.times, since) if since else 0
        at = begin, begin + (number - 1) * PAGE
        return self.ready[at] if self.shown == len(self.made) and at in self.ready else self.body(*at)

    def body(self, begin: int, at: int) -> bytes:
        """The page from record ``at`` of an answer that begins with record ``begin``."""
        told = {"list": self.made[at : min(at + PAGE, self.shown)], "total": max(0, self.shown - begin)}
        return json.dumps({"code": 0, "msg": "", "data": told}, ensure_ascii=False).encode()

    def take(self, kind: str, key: str, body: bytes) -> tuple[int, bytes]:
        """Status and answer to a posted message; this one takes none."""
        return 404, b"{}"

    def handle_error(self, *_: object) -> None:
        """Silent: whoever is killed in the middle of an answer hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Calls

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked += 1
        self._answer(200, self.server.page(int(asked.get("pageNo", "1")), asked.get("since", "")))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) == length:  # else the sender died in mid-message: as if it had never begun
            kind = urlsplit(self.path).path.rpartition("/")[2]
            self._answer(*self.server.take(kind, self.headers.get("Idempotency-Key", ""), body))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: a line per request would count in the measurement."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--numbered", action="store_true", help="both parties with an ID number in every call")
    options = parser.parse_args()
    server = Calls(options.records, numbered=options.numbered)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
