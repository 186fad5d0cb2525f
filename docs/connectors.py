"""The pages about connectors: what the ten built-in ones send (from their manifests), and what the kit checks."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from hub.config.durations import write_duration
from hub.kit.checks import CHECKS, LEVELS
from hub.sdk.manifest import Manifest, read_manifest

CONNECTORS = Path(__file__).parents[1] / "connectors"


def connectors_page() -> Iterator[str]:
    """Each built-in connector: its level, its streams with promise, law and data, what it receives."""
    manifests = [read_manifest(path) for path in sorted(CONNECTORS.glob("*/manifest.toml"))]
    yield "# The built-in connectors"
    yield ""
    yield "What each unit sends and receives, as its manifest says. The level is computed by `hub connectors test NAME`"
    yield "([conformance.md](conformance.md)); a test compares it with what the connector claims."
    yield ""
    yield "| connector | unit | level | streams | receives | still to do |"
    yield "|---|---|---|---|---|---|"
    for manifest in manifests:
        level, todo = _quality(manifest.name)
        yield (
            f"| [`{manifest.name}`](#{manifest.name}) | {manifest.title} | {level} | {len(manifest.streams)} "
            f"| {', '.join(f'`{kind}`' for kind in manifest.receives)} | {'; '.join(todo)} |"
        )
    for manifest in manifests:
        yield from _connector(manifest)


def _quality(name: str) -> tuple[str, list[str]]:
    told = tomllib.loads((CONNECTORS / name / "quality.toml").read_text(encoding="utf-8"))
    todo = [f"{rule}: {state['todo']}" for rule, state in told["rules"].items() if "todo" in state]
    return told["level"], todo


def _connector(manifest: Manifest) -> Iterator[str]:
    yield from ("", f"## {manifest.name}", "", f"{manifest.title}; {manifest.owner}.", "")
    yield "| stream | title | promise | legal basis | classes of data | never stored |"
    yield "|---|---|---|---|---|---|"
    for stream in manifest.streams.values():
        promise = write_duration(stream.freshness) if stream.freshness else "none"
        never = ", ".join(f"`{pattern}`" for pattern in stream.never_store).replace("*", "\\*")
        yield (
            f"| `{stream.name}` | {stream.title} | {promise} | {stream.legal_basis} "
            f"| {', '.join(stream.data_classes)} | {never} |"
        )
    yield from _columns(manifest)
    yield from ("", "| receives | of a person | legal basis | answers come in |", "|---|---|---|---|")
    for kind, receives in manifest.receives.items():
        fields = ", ".join(receives.person_fields) or "nothing"
        yield f"| `{kind}` | {fields} | {receives.legal_basis} | {f'`{receives.answers}`' if receives.answers else ''} |"


def _columns(manifest: Manifest) -> Iterator[str]:
    """Each stream's columns under both headers; either may stand in a file, an answer or a table."""
    streams = import_module(f"connectors.{manifest.name}.mapping").CONNECTOR.streams
    yield from ("", "| stream | columns: Chinese header = English name |", "|---|---|")
    for name in manifest.streams:
        told = {field.name: field.header for field in streams[name].fields}  # a column with two purposes is told once
        yield f"| `{name}` | {', '.join(f'{zh} = `{en}`' if zh else f'`{en}`' for en, zh in told.items())} |"


def conformance_page() -> Iterator[str]:
    """The table of checks, level by level."""
    yield "# The conformance kit"
    yield ""
    yield "`hub connectors test NAME|PATH` runs these checks on a connector, in child processes of its own, with real HTTP"
    yield "servers, tables and folders, and prints the highest level of which, and below which, nothing failed."
    yield '`--level gold` exits 1 below gold; `--json` tells each check; in a test: `hub.sdk.testing.conformance("NAME")`.'
    yield ""
    yield 'A connector with a source of its own is fed through its options: `kind = "url"` gets the address of the kit\'s'
    yield "server (`?page=1&size=5&since=…`, newest last), `folder` the drop folder, `table` the database. One with `reconcile`"
    yield "asks the server for `?what=counts&from=DAY&to=DAY` (`day`, `count`), `?what=keys&day=DAY` and `?what=rows&day=DAY`."
    yield "For each check a deliberately hostile connector proves that it bites (`tests/connectors/hostile/`)."
    for level in LEVELS:
        yield from (
            "",
            f"## {level}",
            "",
            "| check | proves | 证明 | when it fails | 处理办法 |",
            "|---|---|---|---|---|",
        )
        for check in CHECKS:
            if check.level == level:
                yield f"| `{check.id}` | {check.proves} | {check.proves_zh} | {check.remedy} | {check.remedy_zh} |"
