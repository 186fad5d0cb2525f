"""`hub comb` and `hub policy backtest` over invented history, in records and households a second of processor time.

``python benchmarks/comb.py --records 20000``: families of one to six calls over three years, as NDJSON, through the whole
command: read and map in the connector's process, normalise, seal, group, place, judge, write the list. Then the same rows
as backfill (not timed here: see line.py) and a back-test of them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(n: int, man: bool) -> str:
    """An invented resident ID number with the right check character."""
    body = f"310101{1960 + n % 40}{1 + n // 40 % 12:02d}{1 + n // 480 % 28:02d}{2 * (n // 13440 % 400) + man + 122:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def calls(count: int) -> Iterator[dict[str, Any]]:
    """Calls of invented couples: number, time, category, intensity, both people, place."""
    draw = random.Random(1)
    family = made = 0
    while made < count:
        family += 1
        for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 6))):
            at = datetime(2023, 1, 1) + timedelta(minutes=draw.randrange(3 * 365 * 1440))
            yield {
                "call_no": f"J{made}", "called_at": f"{at}", "updated_at": f"{at}", "category": draw.choice("112"),
                "intensity": draw.choice("112"), "relation": "配偶", "community_code": f"3101010010{family % 90 + 10}",
                "party_a_name": "林志远", "party_a_id_number": number(family, True), "party_b_name": "苏婉清",
                "party_b_id_number": number(family, False), "place": f"虚构路{family % 999}弄{family // 999}号",
            }  # fmt: skip
            made += 1


def timed(folder: Path, *arguments: str) -> tuple[float, float, dict[str, Any]]:
    """Seconds of processor time (children too) and of the wall, and the answer."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "--config", str(folder), *arguments, "--json"],
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, time.monotonic() - wall, json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "district"
        for arguments in (("init", str(folder)), ("connectors", "enable", "police")):
            subprocess.run(
                [sys.executable, "-m", "hub.cli", "--config", str(folder), *arguments], check=True, capture_output=True
            )
        source = Path(temporary) / "calls.ndjson"
        with source.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in calls(count))
        spent, wall, told = timed(folder, "comb", str(source))
        print(
            f"comb: {count} records, {told['households']} households, {told['addresses']} addresses, {told['pairs']} pairs"
        )
        print(f"  {count / spent:,.0f} records a second of processor time, {count / wall:,.0f} of the wall")
        timed(folder, "ingest", "police", "incident", str(source), "--mode", "backfill")
        overlay = folder / "candidate.toml"
        overlay.write_text("[switches]\nE1 = true\n", encoding="utf-8")
        spent, wall, told = timed(folder, "policy", "backtest", str(overlay))
        print(f"backtest: {told['households']} households, {told['changed']} would change")
        print(
            f"  {told['households'] / spent:,.0f} households a second of processor time, {told['households'] / wall:,.0f} of the wall"
        )


if __name__ == "__main__":
    main()
