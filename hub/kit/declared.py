"""Checks of what lies there: manifest, files, imports, and whether the connector loads in a process of its own."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from hub.kit.bench import Died, Hung, Refused
from hub.kit.work import Work
from hub.runtime.plugins import read_manifests

LAYOUT = ("__init__.py", "manifest.toml", "schema.py", "mapping.py", "quality.toml", "samples")
"""What a stranger looks for in a connector; ``source.py`` beside it only where none of the four transports fits."""

LAW = re.compile(r"法|条例|规定|意见|办法|规则|通知|关护|〔\d{4}〕|第\S+条|\bLaw\b|\bAct\b")
"""How a legal basis is named."""

WORLD = {
    "asyncio", "concurrent", "ctypes", "datetime", "ftplib", "http", "io", "logging", "multiprocessing", "os", "random",
    "requests", "secrets", "shutil", "signal", "smtplib", "socket", "sqlite3", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uuid",
}  # fmt: skip
"""Modules that tables and mappings have no use for: they hold a clock, chance, disk, network or process."""

SOURCE = "source.py"
"""The one file in which a connector may speak to its own system."""


def valid(work: Work) -> Iterator[str]:
    """The manifest was read before anything else; here: it and the installation speak of one connector."""
    if work.manifest.name != work.target.name:
        yield f"the manifest says {work.manifest.name}, the entry point {work.target.name}"
    for name, manifest in read_manifests().manifests.items():
        if manifest.unit == work.manifest.unit and name != work.target.name:
            yield f"unit {manifest.unit} is connector {name}'s already; take a unit of your own that stands_for it"


def legal_basis(work: Work) -> Iterator[str]:
    """Every stream and every kind of message cites a law or rule, and says which classes of data it holds."""
    for name, stream in work.manifest.streams.items():
        if not LAW.search(stream.legal_basis):
            yield f"streams.{name}.legal_basis names no law or rule"
        if not stream.data_classes:
            yield f"streams.{name}.data_classes is empty"
    for kind, receives in work.manifest.receives.items():
        if not LAW.search(receives.legal_basis):
            yield f"receives.{kind}.legal_basis names no law or rule"


def layout(work: Work) -> Iterator[str]:
    """The same files under the same names as in every other connector."""
    for name in LAYOUT:
        if not (work.target.folder / name).exists():
            yield f"{name} is missing"


def imports(work: Work) -> Iterator[str]:
    """The SDK and itself; a driver or anything with a world in it stands in source.py alone."""
    for path in sorted(work.target.folder.rglob("*.py")):
        for module in sorted(_modules(path)):
            if why := _forbidden(module, work.target.module, path.name == SOURCE):
                yield f"{path.relative_to(work.target.folder)} imports {module}: {why}"


def _modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found


def _forbidden(module: str, own: str, is_source: bool) -> str:
    top = module.split(".")[0]
    if module == "hub.sdk" or module == own or module.startswith(f"{own}."):
        return ""
    if top in ("hub", "connectors"):
        return "a connector knows hub.sdk and itself"
    if is_source:
        return ""
    if top in WORLD:
        return f"only {SOURCE} may touch the world"
    return "" if top in sys.stdlib_module_names else f"a driver belongs into {SOURCE}"


def loads(work: Work) -> Iterator[str]:
    """It is imported in a process of its own, alone, without asking anybody or writing anything."""
    try:
        child = work.start()
    except Refused as refused:
        yield f"it is refused: {refused}"
        return
    except Died:
        yield "the process ended while it was loaded"
        return
    except Hung:
        yield "it was not loaded in time"
        return
    for act, what in child.acts:
        if not act.endswith("read"):
            yield f"while it was loaded: {act} {what}"


def described(work: Work) -> Iterator[str]:
    """The package's docstring tells a stranger what it sends, what it receives, by which law and how often."""
    tree = ast.parse((work.target.folder / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    for word in ("Sends:", "Receives:", "Legal basis:", "Rhythm:"):
        if word not in text:
            yield f"the docstring of __init__.py has no line {word}"


def quality_rules(folder: Path) -> dict[str, str | dict[str, str]]:
    """The rules of quality.toml; empty where there is none or it is no TOML."""
    try:
        found = tomllib.loads((folder / "quality.toml").read_text(encoding="utf-8")).get("rules", {})
    except (OSError, tomllib.TOMLDecodeError):
        return {}
    return dict(found)
