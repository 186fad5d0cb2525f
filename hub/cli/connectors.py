"""`hub connectors …`: what is installed, what is switched on, and whether its source answers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import bootstrap
from hub.cli.face import Face, Json, UsageMistake, emit, face_of, note, running_face, show_pairs, show_table
from hub.cli.looking import old_records
from hub.cli.moments import short
from hub.config.durations import write_duration
from hub.config.samples import connector_sample
from hub.config.secret_files import write_secret
from hub.config.toml_edit import check_toml, set_value
from hub.core.errors import ConfigurationError, HubError
from hub.core.lifecycle import STATES
from hub.read.connectors import connector_states
from hub.read.days import day_rows, told_day
from hub.read.edges import edge_rows
from hub.runtime.local_socket import ask, is_served
from hub.runtime.service import SOCKET
from hub.runtime.unit_worker import promise_of
from hub.sdk.manifest import Manifest, ManifestStream
from hub.security.credentials import hash_token, make_token
from hub.settings import ConnectorConfig, Settings, StreamConfig

app = typer.Typer(help="The departments' connectors.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The connector's name.")]


@app.command("list")
def list_connectors(ctx: typer.Context, as_json: Json = False) -> None:
    """Every installed connector: unit, switched on or off, how its streams arrive."""
    face = face_of(ctx)
    with bootstrap.open_hub(face.folder) as hub:
        states = _states(hub)
        rows = [
            {**_summary(manifest, hub.settings.connectors.get(name)), **states[name]}
            for name, manifest in sorted(bootstrap.manifests().items())
        ]
    if as_json:
        emit(rows)
        return
    say = face.say
    show_table(
        ("NAME", "UNIT", "STATE", "WHO ACTS", "STREAMS", "DELIVERS"),
        (
            (
                row["name"],
                row["title"],
                state_word(row["state"]),
                say(row["who_acts"]),
                ", ".join(f"{s['stream']} ({s['transport']})" for s in row["streams"]),
                ", ".join(row["deliver"]),
            )
            for row in rows
        ),
    )


def state_word(state: str) -> str:
    """A connector's state as people read it."""
    return STATES[state].chinese if running_face().lang == "zh" else state


def _states(hub: bootstrap.Hub) -> dict[str, dict[str, Any]]:
    """Connector → its state, who acts, what it means and what to do."""
    wanted, found = bootstrap.promised(hub.settings), bootstrap.processes(hub.settings)
    with hub.store.read() as sql:
        told = connector_states(sql, hub.settings, wanted, bootstrap.now(), found)
    return {row["name"]: {key: row[key] for key in ("state", "who_acts", "means", "todo", "pid")} for row in told}


def _summary(manifest: Manifest, config: ConnectorConfig | None) -> dict[str, Any]:
    streams = config.streams if config else {}
    return {
        "name": manifest.name,
        "unit": manifest.unit,
        "title": manifest.title,
        "enabled": bool(config and config.enabled),
        "streams": [
            {"stream": name, "title": stream.title, **_stream(streams.get(name), stream)}
            for name, stream in manifest.streams.items()
        ],
        "receives": list(manifest.receives),
        "deliver": sorted(config.deliver) if config else [],
        "push_token": bool(config and config.push_token),
    }


def _stream(config: StreamConfig | None, declared: ManifestStream) -> dict[str, Any]:
    if config is None:
        return {"transport": "push", "every": None, "freshness": None}
    freshness = promise_of(config, declared)
    return {
        "transport": config.transport,
        "every": write_duration(config.every) if config.every else config.cron or None,
        "freshness": write_duration(freshness) if freshness else None,
    }


@app.command("show")
def show_connector(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """One connector: its manifest and how it is configured."""
    face = face_of(ctx)
    manifest = manifest_of(name)
    with bootstrap.open_hub(face.folder) as hub:
        told = {
            **_summary(manifest, hub.settings.connectors.get(name)), **_states(hub)[name],
            "owner": manifest.owner, "api": manifest.api,
        }  # fmt: skip
        with hub.store.read() as sql:
            days = [told_day(d) for views in day_rows(sql, manifest.unit, bootstrap.now()).values() for d in views]
            parts = [
                {"stream": s["stream"], **part}
                for row in connector_states(sql, hub.settings, bootstrap.promised(hub.settings), bootstrap.now())
                if row["name"] == name
                for s in row["streams"]
                for part in s["partitions"]
            ]
    told |= {"partitions": parts}
    told |= {"edge": _edge(face.folder, name), "days": days}
    if as_json:
        emit(told)
        return
    say = face.say
    show_pairs({say("connector"): told["name"], say("title"): told["title"], say("owner"): told["owner"]})
    show_pairs(
        {
            say("enabled"): say("yes") if told["enabled"] else say("no"),
            say("state"): state_word(told["state"]),
            **{say(key): say(told[key]) for key in ("means", "who_acts", "todo")},
        }
    )
    show_table(
        ("STREAM", "TITLE", "TRANSPORT", "SCHEDULE", "FRESHNESS", "LEGAL BASIS"),
        (
            (
                s["stream"],
                s["title"],
                s["transport"],
                s["every"],
                s["freshness"],
                manifest.streams[s["stream"]].legal_basis,
            )
            for s in told["streams"]
        ),
    )
    if told["partitions"]:
        show_table(
            ("STREAM", "PARTITION", "LAST HEARD", "NEXT", "RESULT"),
            (
                (p["stream"], p["partition"], short(p["last"]), short(p["next"]), p["result"])
                for p in told["partitions"]
            ),
        )
    if days:
        show_days(days)
    if told["edge"]:
        show_pairs(
            {f"edge {key}": told["edge"][key] for key in ("state", "key_id", "heard_at", "waiting", "bytes", "limit")}
        )
    show_table(
        ("RECEIVES", "PERSON FIELDS", "DELIVERED"),
        (
            (kind, ", ".join(entry.person_fields), say("yes") if kind in told["deliver"] else say("no way is set"))
            for kind, entry in manifest.receives.items()
        ),
    )


def show_days(days: Sequence[Mapping[str, Any]]) -> None:
    """Days of streams beside what their source says of them."""
    show_table(
        ("STREAM", "DAY", "SOURCE", "HUB", "MISSING", "ONLY HERE", "READ AGAIN", "STATE"),
        (
            (d["stream"], d["day"], "—" if d["theirs"] is None else str(d["theirs"]),
             *(str(d[name]) for name in ("ours", "missing", "extra", "pulled")), d["state"])
            for d in days
        ),
    )  # fmt: skip


def _edge(folder: Path, name: str) -> dict[str, Any] | None:
    """The connector's edge as the archive knows it; None: none, or there is no archive here."""
    with suppress(HubError), bootstrap.open_hub(folder) as hub, hub.store.read() as sql:
        return edge_rows(sql, bootstrap.now()).get(name)
    return None


Names = Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Connectors, by name.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every installed connector.")]


@app.command()
def enable(ctx: typer.Context, names: Names = None, every: All = False, as_json: Json = False) -> None:
    """Switch connectors on; their TOML keeps its comments. Before any transport is set they take ingest and push."""
    _switch(face_of(ctx), _chosen(names, every), on=True, as_json=as_json)


@app.command()
def disable(ctx: typer.Context, names: Names = None, every: All = False, as_json: Json = False) -> None:
    """Switch connectors off: nothing is fetched, taken or sent; what they sent stays."""
    _switch(face_of(ctx), _chosen(names, every), on=False, as_json=as_json)


def _chosen(names: list[str] | None, every: bool) -> list[str]:
    """The connectors that were named, or all of them. Raises UsageMistake with every name that is none."""
    known = bootstrap.manifests()
    if every == bool(names):
        raise UsageMistake("name connectors, or say --all", f"installed: {', '.join(sorted(known))}")
    wrong = [name for name in names or () if name not in known]
    if wrong:
        raise UsageMistake(
            f"no connector {', '.join(wrong)} is installed: nothing was changed", did_you_mean(wrong[0], known)
        )
    return sorted(known) if every else list(dict.fromkeys(names or ()))


def _switch(face: Face, names: list[str], *, on: bool, as_json: bool) -> None:
    paths = {name: connector_file(face.folder, manifest_of(name)) for name in names}
    for path in paths.values():
        check_toml(path)
    changed = {name: set_value(path, "connector", "enabled", on) for name, path in paths.items()}
    old: dict[str, dict[str, int | None]] = {}
    with suppress(ConfigurationError):  # `hub check` lists what is wrong; the switch itself is made
        settings = bootstrap.read_settings(face.folder)
        old = {name: old_records(settings, name) for name in names} if on else {}
    daemon = reloaded(face.folder, names)
    told = [
        {
            "connector": name, "enabled": on, "changed": changed[name], **({"daemon": daemon} if daemon else {}),
            **({"older_than_30_days": old[name]} if old.get(name) else {}),
        }
        for name in names
    ]  # fmt: skip
    if as_json:
        emit(told[0] if len(told) == 1 else told)
        return
    state = "enabled" if on else "disabled"
    for name in names:
        note(f"{name}: {state}" if changed[name] else f"{name}: was already {state}")
        for stream, count in old.get(name, {}).items():
            note(f"  {stream}: " + ("not reached now" if count is None else f"{count} record(s) older than 30 days"))
    if daemon:
        note(f"  {daemon}")
    if any(any(counts.values()) for counts in old.values()):
        note("  set live_from on a stream to take its older records as history, without reports and duties")
    if on:
        note("  `hub check` says what is still missing; `hub connectors probe` tries the source")


def reloaded(folder: Path, names: Sequence[str] = ()) -> str:
    """What the daemon of this folder says to the change; empty: none runs."""
    if not is_served(folder / SOCKET):
        return ""
    try:
        told = ask(folder / SOCKET, "reload", seconds=60.0, names=list(names))
    except HubError as error:
        return f"the daemon keeps the old configuration: {error}"
    waiting = ", ".join(told["restart"])
    return (
        f"the daemon has taken it, but for {waiting}: start it anew for that" if waiting else "the daemon has taken it"
    )


def connector_file(folder: Path, manifest: Manifest) -> Path:
    """The connector's TOML; written as a sample when the connector was installed after `hub init`."""
    if not (folder / "hub.toml").is_file():
        bootstrap.read_settings(folder)  # says what is missing and what to do
    path = folder / "connectors.d" / f"{manifest.name}.toml"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(connector_sample(manifest), encoding="utf-8")
    return path


@app.command()
def token(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Make a push token for a department: shown once, here; only its hash is kept, under secrets/."""
    face = face_of(ctx)
    manifest = manifest_of(name)
    path = connector_file(face.folder, manifest)
    secret = make_token()
    kept = face.folder / "secrets" / f"{name}-push"
    kept.unlink(missing_ok=True)
    write_secret(kept, hash_token(secret).encode())
    set_value(path, "push", "token", {"file": f"secrets/{kept.name}"})
    if as_json:
        emit({"connector": name, "token": secret, "file": str(kept)})
        return
    note(f"{name}: the department sends this as `Authorization: Bearer …`; an earlier token is void")
    typer.echo(secret)


def manifest_of(name: str) -> Manifest:
    """The manifest of an installed connector. Raises UsageMistake with the nearest name."""
    manifests = bootstrap.manifests()
    if name not in manifests:
        raise UsageMistake(f'no connector "{name}" is installed', did_you_mean(name, manifests))
    return manifests[name]


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """A remedy that names the nearest of what exists, else all of it."""
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f'did you mean "{near[0]}"?' if near else f"choose one of {', '.join(sorted(known))}"


def configured(settings: Settings, name: str, stream: str) -> StreamConfig:
    """How one stream is configured. Raises UsageMistake when it is not polled from anywhere."""
    manifest = manifest_of(name)
    if stream not in manifest.streams:
        raise UsageMistake(f'{name} has no stream "{stream}"', did_you_mean(stream, manifest.streams))
    config = settings.connectors.get(name)
    found = config.streams.get(stream) if config else None
    if found is None or found.transport == "push":
        raise UsageMistake(
            f"{name} {stream}: no source is set, it takes records by push and ingest",
            f"set a transport for [streams.{stream}] in connectors.d/{name}.toml",
        )
    return found
