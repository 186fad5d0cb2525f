"""What people read of units outside the ten: their own titles, from their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hub.fleet import titles_of
from hub.runtime.plugins import read_manifests
from hub.speech import name_units, speak


@pytest.fixture(autouse=True)
def _as_installed() -> Iterator[None]:
    yield
    name_units(titles_of(read_manifests().manifests.values()))


def test_an_outside_unit_and_its_streams_are_called_by_their_titles() -> None:
    """In Chinese by its manifest's titles; in English, as every unit, by its name; no title changes a word of ours."""
    name_units({"hotline_12345": "12345政务服务便民热线", "order": "工单", "police": "别名"})

    say = speak("zh")
    assert (say("hotline_12345"), say("order"), say("police")) == ("12345政务服务便民热线", "工单", "公安分局")
    assert speak("en")("order") == "order"


def test_a_stream_titled_twice_has_no_title() -> None:
    """Two connectors' streams of one name keep the name unless they agree."""
    police = read_manifests().manifests["police"]
    other = replace(
        police,
        unit="hotline",
        title="热线",
        streams={"incident": replace(police.streams["incident"], title="来电"), "worker": police.streams["worker"]},
    )
    titles = titles_of((police, other))

    assert (titles["hotline"], titles["worker"]) == ("热线", police.streams["worker"].title)
    assert "incident" not in titles
