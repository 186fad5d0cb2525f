"""The page about ``hub.sdk``: every name behind the one door with its own first sentence, and a source of one's own."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import hub.sdk

GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The hook", "A connector's package registers once, when it is loaded in its own process.", (
        "hookimpl", "hookspec", "hub_register_connectors", "Connector",
    )),
    ("Tables", "Where each column of the unit goes. Most connectors are nothing else.", (
        "Stream", "Field", "person_block", "streams_of", "COMMON", "visit", "mediation", "concern", "VICTIM", "ABUSER",
        "PARTIES", "GUARDIAN", "REPORTER", "RELATION", "VIOLENCE", "INJURY", "SITUATION", "DANGER", "NARRATIVE", "CALL_NO",
        "ACTIVITY", "SPECIAL_HOUSEHOLD", "WORKER", "DUTY_ANSWER", "cell_text", "is_stated", "split_list",
    )),
    ("Records", "What a row becomes. A newer 更新时间 makes a correction, a 删除标志 a retraction; neither needs code.", (
        "Draft", "Drafts", "Problem", "Person", "Key", "Owed", "canonical_json",
    )),
    ("Manifest", "What the connector says of itself, read without running it.", (
        "Manifest", "ManifestStream", "Receives", "Option", "read_manifest", "parse_manifest", "find_manifest", "strip", "API",
    )),
    ("A source or a way out of its own", "Only where none of `rest`, `table`, `files` and `push` fits.", (
        "Fetch", "Pages", "Send", "Reconcile", "Statements", "Context", "Parcel", "Outcome", "Peer", "Reply", "PostSender", "RestSource", "PageStyle",
        "TableSource", "TableSender", "open_table_engine", "FolderSource", "FileSender", "make_auth", "SignatureAuth", "Recipe",
    )),
    ("Errors", "Named by what happens next; anything else is tried a few times and then becomes an issue.", (
        "RetryError", "CredentialsError", "PersonError", "ConfigurationError", "QuarantineError", "HubError",
    )),
)  # fmt: skip

OWN_SOURCE = '''
from contextlib import closing
from typing import Any

from hub.sdk import Context, Pages, Peer, PersonError


def fetch(stream: str, cursor: str | None, context: Context) -> Pages:
    """Pages after ``cursor``: the interface gives everything since a serial number, a hundred rows at once."""
    last = cursor or "0"
    with closing(Peer(seconds=context.seconds, headers={"X-Token": context.config["token"]})) as peer:
        while not context.stop.is_set():
            reply = peer.ask("GET", context.config["url"], params={"after": last})
            rows = _rows(reply.body)
            if not rows:
                return
            last = str(rows[-1]["serial"])
            yield rows, last  # the cursor says: these rows, and all before them


def _rows(body: bytes) -> list[dict[str, Any]]:
    lines = body.decode("utf-8").splitlines()
    if lines[:1] != ["serial|编号|描述"]:
        raise PersonError("the answer has other columns", code="rest.no_records", remedy="ask the department")
    return [dict(zip(lines[0].split("|"), line.split("|"), strict=True)) for line in lines[1:]]
'''.lstrip()


def sdk_page() -> Iterator[str]:
    """Every promised name, group by group."""
    yield "# hub.sdk"
    yield ""
    yield f"The one door of a connector. What is listed here is promised for API version {hub.sdk.API}"
    yield "([ADR 6](adr/0006-one-door-and-its-versions.md)); a manifest names the range it was written for."
    yield "How to write a connector: [writing-a-connector.md](writing-a-connector.md); what it is held to:"
    yield "[conformance.md](conformance.md)."
    for title, says, names in GROUPS:
        yield from ("", f"## {title}", "", says, "", "| name | is |", "|---|---|")
        for name in names:
            yield f"| `{name}` | {first_sentence(name)} |"
        if "Fetch" in names:
            yield from _own_source()


def _own_source() -> Iterator[str]:
    yield ""
    yield "`source.py` holds it, the manifest lists under `[config]` what IT staff must set, `Connector(fetch=fetch)` hands it over."
    yield "It runs in the connector's own process, may raise the errors below, and is held to the kit's gold like any other:"
    yield "the kit leads it to its own server, folder or table by the options' kinds."
    yield ""
    yield "```python"
    yield from OWN_SOURCE.splitlines()
    yield "```"


def first_sentence(name: str) -> str:
    """What the thing says of itself, first sentence; of a constant the text below its assignment."""
    found = getattr(hub.sdk, name)
    if name in ("hookimpl", "hookspec"):
        return (
            "The mark on a connector's hook." if name == "hookimpl" else "The mark on the hub's own definition of it."
        )
    if columns := _columns(found):
        return columns
    text = inspect.getdoc(found) if inspect.isclass(found) or inspect.isfunction(found) else _below(name)
    line = " ".join((text or "").split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.;]) (?=[A-Z])", line)[0]
    return sentence.replace("``", "`").replace("|", "\\|")


def _columns(found: object) -> str:
    """A ready-made column, block of columns or stream by what it holds."""
    if isinstance(found, hub.sdk.Stream):
        return f"The stream {found.title}, kind `{found.kind}`."
    fields = found if isinstance(found, tuple) else (found,)
    if not fields or not all(isinstance(field, hub.sdk.Field) for field in fields):
        return ""
    shown = ", ".join(f"{field.header} → `{field.to}`" for field in fields[:2])
    return shown if len(fields) < 3 else f"{shown} … {len(fields)} columns."


@lru_cache(maxsize=1)
def _texts() -> dict[str, str]:
    """Name → text below its assignment, in the modules behind the door."""
    found: dict[str, str] = {}
    for module in ("connector", "fields", "hookspecs", "manifest", "streams"):
        path = Path(str(import_module(f"hub.sdk.{module}").__file__))
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            names = [ast.unparse(t) for t in node.targets] if isinstance(node, ast.Assign) else []
            names += [ast.unparse(node.target)] if isinstance(node, ast.AnnAssign) else []
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                found.update(dict.fromkeys(names, str(after.value.value)))
    return found


def _below(name: str) -> str:
    return _texts().get(name, "")
