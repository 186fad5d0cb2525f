"""`hub edge …`: a connector in its department's own network. `enrol`, `revoke` and `list` at the hub, the others there."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hub import bootstrap
from hub.cli.connectors import Name, connector_file, manifest_of
from hub.cli.face import ATTENTION, Json, UsageMistake, emit, face_of, note, show_pairs, show_table
from hub.cli.moments import short
from hub.config.toml_edit import set_value
from hub.desk.edges import change, normal
from hub.read.edges import edge_rows
from hub.security.credentials import hash_token

CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that are not taken for one another on the telephone."""


class EdgeGroup(TyperGroup):
    """`hub edge NAME …` is `hub edge run NAME …`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


def _node() -> Any:
    """The edge's own side: loaded by the commands that run there."""
    from hub import edge_node

    return edge_node


app = typer.Typer(cls=EdgeGroup, help="Connectors in their departments' own networks.", no_args_is_help=True)


@app.command("run")
def run_here(
    ctx: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="Connectors that have joined here, in one process.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The hub's address; else [edge] to of hub.toml.")] = "",
) -> None:
    """At the department: fetch, keep on this disk, sign, send; `hub edge NAME… --to URL` is the same. Until SIGTERM."""
    for name in names:
        manifest_of(name)
    raise typer.Exit(_node().run_edge(face_of(ctx).folder, list(dict.fromkeys(names)), to))


@app.command()
def enrol(
    ctx: typer.Context,
    name: Name,
    hours: Annotated[int, typer.Option("--hours", min=1, max=720, help="How long the code may be used.")] = 24,
    as_json: Json = False,
) -> None:
    """At the hub: a one-time code for a department's edge. It is shown once, here."""
    manifest = manifest_of(name)
    code = "-".join("".join(secrets.choice(CODE) for _ in range(4)) for _ in range(4))
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        config = hub.settings.connectors.get(name)
        if config is None or not config.enabled:
            raise UsageMistake(f"{name} is not enabled here", f"run `hub connectors enable {name}` first")
        now = bootstrap.now()
        until = now + timedelta(hours=hours)
        kept = hash_token(normal(code))
        change(hub.store, hub.settings.folder, now, act="invite", connector=name, code_hash=kept, hours=hours)
    if as_json:
        emit({"connector": manifest.name, "code": code, "until": until.isoformat()})
        return
    note(f"{name}: tell the department this code; it can be used once, until {short(until.isoformat())}")
    note("  there: hub --config DIR edge join URL CODE, then hub --config DIR edge " + name)
    typer.echo(code)


@app.command()
def revoke(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """At the hub: from now on nothing of this connector's edge is taken, also by a running hub."""
    manifest_of(name)
    with bootstrap.open_hub(face_of(ctx).folder) as hub:
        count = change(hub.store, hub.settings.folder, bootstrap.now(), act="revoke", connector=name)
    if as_json:
        emit({"connector": name, "revoked": count})
    else:
        note(f"{name}: revoked" if count else f"{name}: had no edge")


@app.command("list")
def list_edges(ctx: typer.Context, as_json: Json = False) -> None:
    """At the hub: every edge, its key, when it was heard and what it told of itself."""
    with bootstrap.open_hub(face_of(ctx).folder) as hub, hub.store.read() as sql:
        rows = list(edge_rows(sql, bootstrap.now()).values())
    if as_json:
        emit(rows)
        return
    show_table(
        ("CONNECTOR", "STATE", "KEY", "HEARD", "WAITING", "BYTES", "SKEW"),
        (
            (r["connector"], r["state"], r["key_id"], short(r["heard_at"]), r["waiting"], r["bytes"], r["skew"])
            for r in rows
        ),
    )


@app.command()
def join(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The hub's address, https.")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="The one-time code from the hub.")],
    ca: Annotated[
        Path | None,
        typer.Option("--ca", metavar="FILE", help="PEM of the private CA that signed the hub's certificate."),
    ] = None,
    as_json: Json = False,
) -> None:
    """At the department: make a key pair and register its public half. Writes the folder that `--config` names."""
    folder = face_of(ctx).folder.absolute()
    told = _node().join(folder, url, code, ca)
    name = str(told["connector"])
    installed = name in bootstrap.manifests()
    if installed:
        path = connector_file(folder, manifest_of(name))
        set_value(path, "connector", "enabled", True)
    if as_json:
        emit({**told, "folder": str(folder), "installed": installed})
        return
    note(f"{name}: this edge is enrolled; its key is {told['key_id']} (the hub shows the same in `hub edge list`)")
    if not installed:
        note(f"  install the package of connector {name} here")
    note(f"  set the transport of its streams in connectors.d/{name}.toml, then run: hub --config {folder} edge {name}")


@app.command()
def show(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """At the department: what waits in the spool, what is held and why. Works beside a running edge."""
    settings = bootstrap.read_settings(face_of(ctx).folder)
    with _node().open_spool(settings, name, look=True) as spool:
        told = {"connector": name, "to": settings.edge.to, **spool.state()}
    if as_json:
        emit(told)
    else:
        show_pairs({key: told[key] for key in ("connector", "to", "waiting", "bytes", "limit", "oldest")})
        show_table(("HELD", "BATCHES"), told["held"].items())
        show_table(
            ("STREAM", "LAST HEARD", "LAST RESULT"),
            ((stream, short(row["heard_at"]), row["last"]) for stream, row in told["streams"].items()),
        )
    raise typer.Exit(ATTENTION if told["held"] else 0)


@app.command()
def release(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """At the department: send held batches once more, after what held them was mended."""
    settings = bootstrap.read_settings(face_of(ctx).folder)
    count = _node().release(settings, name)
    if as_json:
        emit({"connector": name, "released": count})
    elif count is None:
        note(f"{name}: the running edge sends its held batches again")
    else:
        note(f"{name}: {count} batch(es) go out at the next start")
