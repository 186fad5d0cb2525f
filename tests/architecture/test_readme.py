"""The Chinese README says what the English one says: the same commands, folders, pages and headings in number."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))


def test_readmes_show_the_same() -> None:
    """Every block of commands is the same text, every folder and page is named in both, section for section."""
    blocks = [re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for text in (ENGLISH, CHINESE)]
    folders = [set(re.findall(r"`([\w/]+/)`", text)) for text in (ENGLISH, CHINESE)]
    pages = [set(re.findall(r"\]\((docs/[\w-]+\.md)\)", text)) for text in (ENGLISH, CHINESE)]
    sections = [len(re.findall(r"^## ", text, re.MULTILINE)) for text in (ENGLISH, CHINESE)]

    assert blocks[0] == blocks[1]
    assert folders[0] == folders[1]
    assert pages[0] == pages[1]
    assert all((ROOT / page).is_file() for page in pages[0])
    assert sections[0] == sections[1]
