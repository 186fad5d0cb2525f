"""The district on this machine: folder, departments and daemon, wired as they would be in a city."""

from __future__ import annotations

import socket
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.demo import configure
from hub.demo.daemon import Commands, Daemon
from hub.demo.departments import (
    FileDepartment,
    FileReceiver,
    PoliceDepartment,
    PushDepartment,
    RestDepartment,
    TableDepartment,
    wall_clock,
)
from hub.demo.people import COMMUNITIES
from hub.demo.story import Beat, District, Plot, district

ROLES = ("exporter", "coordinator")
REST_UNITS = ("procuratorate", "womens_federation", "community_grid")
TABLE_UNITS = ("court", "civil_affairs")
PUSH_UNITS = ("education", "youth_league")
FILE_UNITS = {"justice": "csv", "health": "xlsx"}
DESKS = ("court", "justice", "civil_affairs", "education", "youth_league")
"""Units without an HTTP source of their own that still take messages at an HTTP address."""
EXTRA_STREAMS = {"police": ("report_feedback",)}
"""Streams in which a unit answers; the story has no rows of them before the hub writes."""

Source = RestDepartment | TableDepartment | FileDepartment | PushDepartment


class SimulatedDistrict:
    """Everything of the demo that outlives one wave of the story."""

    def __init__(self, folder: Path, speed: float) -> None:
        self.folder = folder / "district"
        self.world = folder / "departments"
        self.world.mkdir(parents=True)
        self.speed = speed
        self.today = (datetime.now(UTC) + timedelta(hours=8)).date()
        self.story: District = district(self.today)
        self.streams = _streams(self.story.beats)
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.tokens = {role: configure.new_token() for role in ROLES}
        self.push_tokens = {unit: configure.new_token() for unit in PUSH_UNITS}
        self.commands = Commands(self.folder)
        self.commands.text("init", str(self.folder), ok=(0,))
        configure.hub_toml(self.folder, f"127.0.0.1:{port}", _by_role(self.tokens), COMMUNITIES)
        self.sources: dict[str, Source] = {}
        self.desks: dict[str, RestDepartment] = {}
        self._open_departments()
        self.border = FileReceiver("health", self.folder / "out" / "health", self.folder / "in" / "receipts")
        self._configure()
        self.daemon = Daemon(self.folder, self.address)

    def publish(self, wave: int) -> list[Beat]:
        """Shows one wave of the story to the hub through each unit's own door; the beats that were shown."""
        beats = [beat for beat in self.story.beats if beat.wave == wave]
        grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for beat in beats:
            row = beat.row if beat.late else {**beat.row, "更新时间": wall_clock()}
            grouped[beat.unit, beat.stream].append(row)
        for (unit, stream), rows in grouped.items():
            self.sources[unit].publish(stream, rows)
        return beats

    def breathe(self) -> None:
        """What departments do all the time: push what waits, take messages at the border."""
        for source in self.sources.values():
            if isinstance(source, PushDepartment):
                source.flush()
        self.border.look()

    def close(self) -> None:
        for source in (*self.sources.values(), *self.desks.values()):
            source.close()

    def _open_departments(self) -> None:
        decisions = {family.child.id_number: plot.police for family, plot in self.story.families if plot.police}
        self.sources["police"] = PoliceDepartment("police", decisions, 1.5 / self.speed)
        for unit in REST_UNITS:
            self.sources[unit] = RestDepartment(unit)
        for unit in TABLE_UNITS:
            made = TableDepartment(unit, self.world / f"{unit}.db")
            for stream in self.streams[unit]:
                made.declare(stream, _columns(self.story.beats, unit, stream))
            self.sources[unit] = made
        for unit, form in FILE_UNITS.items():
            self.sources[unit] = FileDepartment(unit, self.folder / "in" / unit, form)
        for unit in PUSH_UNITS:
            self.sources[unit] = PushDepartment(unit, self.address, self.push_tokens[unit])
        self.desks = {unit: RestDepartment(unit) for unit in DESKS}

    def _configure(self) -> None:
        every = f"{max(100, int(500 / self.speed))}ms"
        for unit, source in self.sources.items():
            names = [*self.streams[unit], *EXTRA_STREAMS.get(unit, ())]
            configure.connector(
                self.folder, unit, self._stream(unit, source, every), names, self._deliver(unit, source),
                self.push_tokens.get(unit, ""),
            )  # fmt: skip

    def _stream(self, unit: str, source: Source, every: str) -> Any:
        if isinstance(source, RestDepartment):
            return configure.rest(source.address, every)
        if isinstance(source, TableDepartment):
            return configure.table(source.url, every)
        if isinstance(source, FileDepartment):
            return configure.files(f"in/{unit}", f"*.{source.form}", every)
        return configure.push()

    def _deliver(self, unit: str, source: Source) -> Any:
        if unit == "health":
            return lambda kind: {"folder": "out/health", "receipts": "in/receipts"}
        desk = source if isinstance(source, RestDepartment) else self.desks[unit]
        return lambda kind: {"url": f"{desk.address}/inbox/{kind}"}


def plots(story: District) -> list[tuple[str, Plot]]:
    """(child's ID number, plot) of every family."""
    return [(family.child.id_number, plot) for family, plot in story.families]


def _streams(beats: tuple[Beat, ...]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = defaultdict(list)
    for beat in beats:
        if beat.stream not in out[beat.unit]:
            out[beat.unit].append(beat.stream)
    return out


def _columns(beats: tuple[Beat, ...], unit: str, stream: str) -> list[str]:
    rows = (beat.row for beat in beats if (beat.unit, beat.stream) == (unit, stream))
    return list(dict.fromkeys(["更新时间", *(column for row in rows for column in row)]))


def _by_role(tokens: dict[str, str]) -> dict[str, str]:
    return dict(tokens)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
