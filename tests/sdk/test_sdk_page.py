"""The page about hub.sdk names everything that is promised, and its example reads a real source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import hub.sdk
from docs.sdk import GROUPS, first_sentence
from hub.sdk import Context, PersonError
from tests.local_peer import Asked, LocalPeer

PAGE = (Path(__file__).parents[2] / "docs" / "sdk.md").read_text(encoding="utf-8")
Serve = Callable[[Callable[[Asked], tuple[int, dict[str, str], Any]]], LocalPeer]


def test_page_names_everything_that_is_promised() -> None:
    """Each name behind the door stands on the page once, with a sentence of its own."""
    named = [name for _, _, names in GROUPS for name in names]

    assert sorted(named) == sorted(hub.sdk.__all__)
    assert [name for name in named if not first_sentence(name)] == []


@pytest.fixture
def fetch() -> Any:
    """The example's function, from the page."""
    (code,) = PAGE.split("```python\n")[1:]
    names: dict[str, Any] = {}
    exec(code.split("```")[0], names)
    return names["fetch"]


def test_example_reads_to_the_end(fetch: Any, serve: Serve) -> None:
    """Page after page from the cursor on, each with the serial number that it reaches; the credential goes along."""
    pages = {"0": "1|A|甲\n2|B|乙\n", "2": "3|C|丙\n", "3": ""}
    peer = serve(lambda asked: (200, {}, f"serial|编号|描述\n{pages[asked.query['after']]}".encode()))
    context = Context({"url": peer.url, "token": "T"}, 5.0, Event())

    read = list(fetch("conflict", None, context))

    assert [cursor for _, cursor in read] == ["2", "3"]
    assert read[0][0] == [{"serial": "1", "编号": "A", "描述": "甲"}, {"serial": "2", "编号": "B", "描述": "乙"}]
    assert {asked.headers["X-Token"] for asked in peer.asked} == {"T"}


def test_example_refuses_what_it_cannot_read(fetch: Any, serve: Serve) -> None:
    """Another answer is an error for a person, never an empty source."""
    peer = serve(lambda asked: (200, {}, b"<html>"))

    with pytest.raises(PersonError):
        list(fetch("conflict", None, Context({"url": peer.url, "token": "T"}, 5.0, Event())))
