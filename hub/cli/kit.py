"""`hub connectors new | test`: a connector of a department's own, from an empty folder to a level that was proved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub import bootstrap
from hub.cli.connectors import app
from hub.cli.face import ATTENTION, DONE, Json, UsageMistake, emit, face_of, note
from hub.kit.checks import CHECKS, LEVELS
from hub.kit.golden import write_golden
from hub.kit.scaffold import write_package
from hub.kit.target import find_target
from hub.kit.verdict import Verdict, examine, is_enough

_MARKS = {"passed": "✓", "failed": "✗", "exempt": "–", "skipped": "·"}
_LEVELS_ZH = {"bronze": "铜级", "silver": "银级", "gold": "金级", "platinum": "白金级", "": "未达铜级"}


@app.command("new")
def new_connector(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and _.")],
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="The unit whose records these are.")],
    stands_for: Annotated[
        str,
        typer.Option("--stands-for", metavar="UNIT", help="For a unit outside the ten: under whose rules it falls."),
    ] = "",
    transport: Annotated[
        str, typer.Option("--transport", help="How its records arrive: rest, table, files or push.")
    ] = "files",
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where the package's folder is made.")] = Path(),
    title: Annotated[str, typer.Option("--title", help="The unit's name as people write it.")] = "",
    as_json: Json = False,
) -> None:
    """Write a whole connector package of a department's own; it passes `hub connectors test` as it stands."""
    if name in bootstrap.manifests():
        raise UsageMistake(
            f'a connector named "{name}" is installed', "choose another name: two of one name refuse each other"
        )
    owner = next((m.name for m in bootstrap.manifests().values() if m.unit == unit and m.name != name), "")
    if owner and not stands_for:
        note(f"unit {unit} is connector {owner}'s: this one gets a unit of its own, {name}, that stands for it")
        unit, stands_for = name, unit
    written = write_package(name, unit, transport, into, stands_for=stands_for, title=title)
    folder = into / name.replace("_", "-")
    if as_json:
        emit(
            {
                "connector": name,
                "unit": unit,
                "folder": str(folder),
                "files": [str(path.relative_to(folder)) for path in written],
            }
        )
        return
    for path in written:
        typer.echo(str(path))
    note(f"next: `hub connectors test {folder}`; README.md there says what to change first")


@app.command("test")
def run_kit(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="NAME|PATH", help="An installed connector, or a package's folder.")],
    level: Annotated[str, typer.Option("--level", help=f"Required: {', '.join(LEVELS)}. Below it: exit 1.")] = "bronze",
    write: Annotated[
        bool, typer.Option("--write-golden", help="Write the samples' drafts as golden ones first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the conformance kit: mapping, law, faults, canaries; the level is computed from what passed."""
    if level not in LEVELS:
        raise UsageMistake(f"--level: expected {', '.join(LEVELS)}, found {level}")
    found = find_target(target)
    if write:
        for path in write_golden(found):
            note(f"{path}: written; read it, from now on it is the proof")
            if not as_json:
                typer.echo(path.read_text(encoding="utf-8").rstrip())
    with Progress(
        SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn(),
        transient=True, disable=as_json, console=Console(stderr=True),
    ) as progress:  # fmt: skip
        task = progress.add_task(CHECKS[0].id, total=len(CHECKS))
        verdict = examine(found, done=lambda result: progress.update(task, advance=1, description=result.check.id))
    enough = is_enough(verdict.level, level)
    if as_json:
        emit({**verdict.as_json(), "required": level, "reached": enough})
    else:
        _show(verdict, face_of(ctx).lang)
    raise typer.Exit(DONE if enough else ATTENTION)


def _show(verdict: Verdict, lang: str) -> None:
    """Each check with its sentence; what failed, with what was found and what to do; then the level."""
    for level in LEVELS:
        typer.echo(f"{level}  {_LEVELS_ZH[level]}")
        for check, state, found, seconds in verdict.results:
            if check.level != level:
                continue
            proves = check.proves_zh if lang == "zh" else check.proves
            typer.echo(f"  {_MARKS[state]} {check.id:24} {proves}" + (f"  ({seconds:.1f} s)" if seconds >= 1 else ""))
            if state == "exempt":
                typer.echo(f"      {found[0]}")
            for what in found if state == "failed" else ():
                typer.echo(f"      {what}")
            if state == "failed":
                typer.echo(f"      to do: {check.remedy_zh if lang == 'zh' else check.remedy}")
    typer.echo(f"{verdict.connector}: {verdict.level or 'below bronze'} {_LEVELS_ZH[verdict.level]}")
