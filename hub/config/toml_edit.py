"""Changing one value of a TOML file that people also edit: comments and order stay, the file is replaced whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from hub.core.errors import ConfigurationError


def set_value(path: Path, table: str, key: str, value: object) -> bool:
    """Set ``[table] key``; False when it already stood so. The new file is durable before the old one goes."""
    document = tomlkit.parse(path.read_text("utf-8-sig"))
    found = document.get(table)
    if not isinstance(found, Table):
        found = tomlkit.table()
        document.append(table, found)
    if key in found and found[key] == value:
        return False
    found[key] = _inline(value) if isinstance(value, Mapping) else value
    _replace(path, tomlkit.dumps(document))
    return True


def check_toml(path: Path) -> None:
    """Raises ConfigurationError, with its line, for a file that is no TOML."""
    try:
        tomlkit.parse(path.read_text("utf-8-sig"))
    except TOMLKitError as error:
        raise ConfigurationError(
            f"{path}: {error}: nothing was changed", code="configuration.invalid", remedy="mend that line"
        ) from error


def _inline(value: Mapping[str, str]) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(mode)
    fresh.replace(path)
