"""The plain script that everything is measured against: httpx + orjson + sqlite3, extract, rename, upsert, commit a page.

``python benchmarks/plain.py URL DATABASE`` prints one JSON line: records and seconds.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time

import httpx
import orjson

COLUMNS = {
    "接警编号": "call_no", "报警时间": "called_at", "更新时间": "updated_at", "警情类别": "category", "冲突程度": "intensity",
    "肢体冲突": "physical_conflict", "伤情": "injury", "处警结果": "outcome", "地址": "place", "报警内容": "narrative",
    "社区编码": "community_code", "与对方关系": "relation", "甲方姓名": "party_a_name", "甲方证件号码": "party_a_id_number",
    "甲方联系电话": "party_a_phone", "甲方住址": "party_a_address", "乙方姓名": "party_b_name",
    "乙方证件号码": "party_b_id_number", "乙方联系电话": "party_b_phone", "乙方住址": "party_b_address",
}  # fmt: skip


def run(url: str, path: str) -> int:
    """Reads every page of ``url`` into the table ``incident`` of ``path``; returns the number of records."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    names = list(COLUMNS.values())
    database.execute(f"CREATE TABLE incident ({', '.join(names)}, PRIMARY KEY (call_no))")
    updates = ", ".join(f"{name}=excluded.{name}" for name in names[1:])
    upsert = (
        f"INSERT INTO incident VALUES ({', '.join('?' * len(names))}) ON CONFLICT (call_no) DO UPDATE SET {updates}"
    )
    done, page = 0, 1
    with httpx.Client() as client:
        while records := orjson.loads(client.get(url, params={"pageNo": page, "size": 500}).content)["data"]["list"]:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(upsert, [tuple(record.get(header) for header in COLUMNS) for record in records])
            database.execute("COMMIT")
            done, page = done + len(records), page + 1
    return done


if __name__ == "__main__":
    started = time.perf_counter()
    count = run(sys.argv[1], sys.argv[2])
    print(json.dumps({"records": count, "seconds": time.perf_counter() - started}))
