"""The live view: records in, light changes with reasons, reports out and acknowledged; plain lines where no terminal is."""

from __future__ import annotations

import re
from collections import Counter, deque
from typing import Any

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

COLOURS = {"red": "red", "orange": "dark_orange", "yellow": "yellow", "green": "green", "unlit": "bright_black"}
CHINESE = {"red": "红", "orange": "橙", "yellow": "黄", "green": "绿", "unlit": "未亮"}
LINES = 14
"""Light changes shown at a time; the whole feed is at /v1/lights/changes."""


class View:
    """Reads the daemon's own HTTP doors, as a station's screen would."""

    def __init__(self, address: str, token: str, console: Console) -> None:
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=5.0)
        self.console = console
        self.title = ""
        self.after = ""
        self.changes: deque[dict[str, Any]] = deque(maxlen=LINES)
        self.lights: dict[str, str] = {}
        self.reports: list[dict[str, Any]] = []
        self.steps: dict[str, str] = {}
        self.counts: dict[str, float] = {}
        self.live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> View:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.look()
        if self.live is not None:
            self.live.stop()
        self.client.close()

    def say(self, title: str) -> None:
        """What the story does now."""
        self.title = title
        if self.live is None:
            self.console.print(f"── {title}", highlight=False)

    def look(self) -> None:
        """One look at the daemon; a daemon that is just starting is looked at again later."""
        try:
            self._changes()
            self._reports()
            self._counts()
        except (httpx.HTTPError, KeyError, ValueError):
            return
        if self.live is not None:
            self.live.update(self._screen())

    def _changes(self) -> None:
        feed = self._json("/v1/lights/changes", after=self.after)
        for change in feed["changes"]:
            self.changes.append(change)
            self.lights[change["household"]] = change["light"]
            if self.live is None:
                self.console.print(self._line(change), highlight=False)
        self.after = feed.get("next") or self.after

    def _reports(self) -> None:
        self.reports = self._json("/v1/reports")["reports"]
        for report in self.reports:
            number, step = report["report_no"], report["step"]
            if self.steps.get(number) != step:
                if self.live is None:
                    self.console.print(f"   report {number} {report['rule']}: {step}", highlight=False)
                self.steps[number] = step

    def _counts(self) -> None:
        text = self.client.get("/metrics").text
        self.counts = {
            name: float(value) for name, value in re.findall(r'^hub_records_total\{fate="(\w+)"\} (\S+)', text, re.M)
        }

    def _json(self, path: str, **query: str) -> dict[str, Any]:
        answer = self.client.get(path, params=query)
        answer.raise_for_status()
        return dict(answer.json())

    @staticmethod
    def _line(change: dict[str, Any]) -> Text:
        was, light = change.get("was") or "unlit", change["light"]
        text = Text("   ")
        text.append(f"{CHINESE[was]}→", style=COLOURS[was])
        text.append(f"{CHINESE[light]}", style=COLOURS[light])
        text.append(f" {change.get('household_no') or change['household']}  {change.get('reason') or ''}")
        return text

    def _screen(self) -> Group:
        board = Table.grid(padding=(0, 3))
        tally = Counter(self.lights.values())
        board.add_row(*(Text(f"● {CHINESE[c]} {tally[c]}", style=COLOURS[c]) for c in COLOURS))
        records = "  ".join(f"{fate} {count:.0f}" for fate, count in sorted(self.counts.items()))
        ladder = Table("report", "rule", "step", "unit", box=None)
        for report in self.reports[-8:]:
            ladder.add_row(report["report_no"], report["rule"], report["step"], report.get("reporting_unit", ""))
        return Group(
            Panel(Text(self.title or "…"), title="家事关护枢纽 · Family Care Hub"),
            Panel(board, title="lights"),
            Panel(Group(*(self._line(change) for change in self.changes)), title="light changes and their reasons"),
            Panel(ladder, title="mandatory reports"),
            Text(f"records: {records}"),
        )
