"""Pages made of slices of real files: what a reader copies is what the tests run.

A page names a slice in a comment and shows it between fences::

    <!-- slice examples/x/schema.py#codes -->
    ```python
    …
    ```

``fill`` puts the file's region (``# region: codes`` … ``# endregion``), or without ``#`` the whole file, between the fences.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["fill", "same_blocks", "slice_of"]

_SLICE = re.compile(r"(<!-- slice (\S+?)(?:#(\S+))? -->\n```\w*\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def slice_of(path: Path, region: str | None) -> str:
    """The text of a region, its own markers left out. Raises LookupError when the file has no such region."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if region is None:
        return "\n".join(line for line in lines if not _is_marker(line)) + "\n"
    try:
        start = lines.index(f"# region: {region}")
        end = next(i for i in range(start, len(lines)) if lines[i] == "# endregion")
    except (ValueError, StopIteration):
        raise LookupError(f"{path.name} has no region {region}") from None
    return "\n".join(lines[start + 1 : end]).strip("\n") + "\n"


def _is_marker(line: str) -> bool:
    return line.startswith("# region: ") or line == "# endregion"


def fill(page: str, root: Path) -> str:
    """The page with every slice as its file has it now."""
    return _SLICE.sub(lambda found: found[1] + slice_of(root / found[2], found[3]) + found[5], page)


_BLOCK = re.compile(r"^```\w*\n.*?^```$", re.MULTILINE | re.DOTALL)


def same_blocks(original: str, translated: str) -> str:
    """A translated page with the fenced blocks of its original. Raises LookupError when they are not as many."""
    blocks = _BLOCK.findall(original)
    if len(blocks) != len(_BLOCK.findall(translated)):
        raise LookupError("the translation has not as many blocks as its original: add or remove one")
    left = iter(blocks)
    return _BLOCK.sub(lambda _: next(left), translated)
