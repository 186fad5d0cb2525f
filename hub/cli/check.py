"""`hub check`: all of the configuration, without network, every mistake at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import typer

from hub import bootstrap
from hub.cli.face import ATTENTION, WRONG, Face, Json, emit, face_of
from hub.config.receivers import REPORT, Unreceived, unreceived
from hub.config.secret_files import SecretError, read_secret, references
from hub.config.toml_lines import line_of
from hub.config.toml_reader import Mistake, Reader
from hub.confinement import open_connectors
from hub.core.errors import ConfigurationError
from hub.core.policy import Policy
from hub.core.records import SHANGHAI
from hub.sdk.fields import unknown_names
from hub.settings import Settings

_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""SQLite releases from which concurrent write and checkpoint cannot corrupt a WAL database; 3.50 and 3.44 by branch."""


def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Read all configuration without network and name every mistake: file:line, expected, found, nearest valid key."""
    told = examine(face_of(ctx))
    if as_json:
        emit(told)
    else:
        _print(told)
    if told["mistakes"]:
        raise typer.Exit(WRONG)
    if told["unreceived"]:
        raise typer.Exit(ATTENTION)


def examine(face: Face) -> dict[str, Any]:
    """Everything `check --json` says: ``ok``, ``mistakes``, ``unreceived``, ``warnings``, ``notes``."""
    settings, mistakes = bootstrap.examine(face.folder)
    mistakes += _refused(settings)
    mistakes += dict.fromkeys(_secrets(settings))  # two uses of one secret are one mistake
    mistakes += list(_renames(settings))
    policy, problem = _policy(settings)
    if problem is not None:
        mistakes.append(problem)
    lacking = unreceived(settings, bootstrap.streams(settings), policy) if policy else []
    opened = open_connectors(settings)
    if settings.confine_required:
        mistakes += [
            Mistake(
                "hub.toml",
                _line_naming(settings, "hub.toml", "require"),
                "connectors.confine",
                "connectors that can be closed in",
                one,
            )
            for one in opened
        ]
    return {
        "ok": not mistakes and not lacking,
        "mistakes": [mistake._asdict() for mistake in mistakes],
        "unreceived": [_as_dict(one) for one in lacking],
        "warnings": [*_warnings(settings, policy), *opened],
        "notes": [sqlite_note()] if settings.database_url.startswith("sqlite") else [],
    }


def _as_dict(one: Unreceived) -> dict[str, Any]:
    return {**one._asdict(), "message": one.message, "says": str(one)}


def _refused(settings: Settings) -> list[Mistake]:
    """Connectors whose manifest cannot be read, and those switched on that cannot be loaded."""
    found = [
        Mistake(name, 1, "manifest", "a connector that can be read", reason)
        for name, reason in bootstrap.refused_connectors().items()
    ]
    for name in _enabled(settings):
        try:
            bootstrap.described(name)
        except ConfigurationError as error:
            found.append(Mistake(name, 1, "package", "a connector that can be loaded", str(error)))
    return found


def _enabled(settings: Settings) -> list[str]:
    return [name for name, config in settings.connectors.items() if config.enabled and name in bootstrap.manifests()]


def _secrets(settings: Settings) -> Iterator[Mistake]:
    """Every secret that enabled parts of the configuration name must be readable, by its owner alone."""
    parts: list[tuple[str, object]] = [("hub.toml", settings.keys)]
    for config in settings.connectors.values():
        if config.enabled:
            name = f"connectors.d/{config.name}.toml"
            parts += [(name, config.streams), (name, config.deliver), (name, config.push_token)]
    for file, part in parts:
        for ref in references(part):
            try:
                read_secret(ref)
            except SecretError as error:
                name = ref.env or ref.credential or ref.file
                yield Mistake(file, _line_naming(settings, file, name), "secret", error.expected, error.found)


def _line_naming(settings: Settings, file: str, name: str) -> int:
    """The first line of a configuration file that names a secret."""
    path = settings.folder / file
    short = name.removeprefix(f"{settings.folder}/")
    lines = path.read_text("utf-8-sig").splitlines() if path.is_file() else []
    return next((number for number, line in enumerate(lines, 1) if f'"{short}"' in line), 1)


def _renames(settings: Settings) -> Iterator[Mistake]:
    """``fields`` whose left side names no column of the stream."""
    for name, config in settings.connectors.items():
        for stream, found in config.streams.items():
            columns = _columns(name, stream) if found.fields else ()
            for wrong in unknown_names(dict.fromkeys(columns, ""), found.fields) if columns else ():
                reader = Reader(config.path, settings.folder)
                reader.load()
                place = ("streams", stream, "fields", wrong)
                near = bootstrap.nearest_column(columns, wrong)
                yield Mistake(
                    f"connectors.d/{name}.toml", line_of(reader.lines, place), ".".join(place),
                    "a column of this stream, 中文 or english", f'"{wrong}"', near,
                )  # fmt: skip


def _columns(name: str, stream: str) -> tuple[str, ...]:
    """The names of a stream's columns, as its connector says them; none when it cannot be asked."""
    try:
        return tuple(map(str, bootstrap.described(name).streams[stream]["names"]))
    except (ConfigurationError, KeyError):
        return ()


def _policy(settings: Settings) -> tuple[Policy | None, Mistake | None]:
    try:
        return bootstrap.load_policy(settings), None
    except ConfigurationError as error:
        paths = settings.overlay_files if str(error).startswith("overlay") else settings.policy_files
        name = ", ".join(path.name for path in paths) or "policy"
        return None, Mistake(name, 1, "policy", "a policy that compiles", str(error))


def _warnings(settings: Settings, policy: Policy | None) -> Iterator[str]:
    """What works today and may not tomorrow."""
    year = datetime.now(SHANGHAI).year
    if policy is not None:
        for unknown in sorted({year, year + 1} - policy.calendar.years):
            yield f"calendar: {unknown} is unknown: its public holidays count as working days until its file is there"
    if not any(config.enabled for config in settings.connectors.values()):
        yield "no connector is enabled yet: hub connectors enable NAME"
    for name in _enabled(settings):
        receives = bootstrap.manifests()[name].receives
        for kind in sorted(set(settings.connectors[name].deliver) - set(receives)):
            yield f"connectors.d/{name}.toml: [deliver.{kind}]: the manifest of {name} receives no {kind}; one that is sent names nobody"


def sqlite_note() -> str:
    """Which protection keeps the database file sound with the SQLite at hand."""
    version = sqlite3.sqlite_version_info
    branch = next((fixed for fixed in _FIXED if fixed[:2] == version[:2]), _FIXED[0])
    number = ".".join(map(str, version))
    if version >= branch:
        return f"SQLite {number}: not affected by the WAL corruption of 3.7.0–3.51.2"
    return (
        f"SQLite {number} can corrupt a WAL database when two connections write or checkpoint at once (fixed in 3.51.3, "
        "3.50.7, 3.44.6); protection in force: one serialised writer that also checkpoints, all others read-only"
    )


def _print(told: dict[str, Any]) -> None:
    for mistake in told["mistakes"]:
        typer.echo(f"wrong: {Mistake(**mistake)}")
    for one in told["unreceived"]:
        loud = "MANDATORY REPORTS REACH NOBODY: " if one["message"] == REPORT else "not received: "
        typer.echo(f"{loud}{one['says']}")
        typer.echo(
            f"  to do: enable {one['unit']} and set [deliver.{one['message']}] in connectors.d/{one['unit']}.toml"
        )
    for warning in told["warnings"]:
        typer.echo(f"warning: {warning}")
    for remark in told["notes"]:
        typer.echo(f"note: {remark}")
    typer.echo("all is well" if told["ok"] else "something needs attention")
