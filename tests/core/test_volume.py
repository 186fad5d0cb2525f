"""Promises of volume, as IT staff write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.volume import Expected, parse_expected

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20..400 per day", Expected(20, 400, DAY)),
        ("5.. per week", Expected(5, None, 7 * DAY)),
        (" ..1000 PER hour ", Expected(0, 1000, DAY / 24)),
        ("3 .. 3 a month", Expected(3, 3, 30 * DAY)),
    ],
)
def test_a_promise_is_read(text: str, expected: Expected) -> None:
    """At least, at most, and in which span; either bound may be left out."""
    assert parse_expected(text) == expected


@pytest.mark.parametrize(
    "text", ["", ".. per day", "20 per day", "9..3 per day", "20..30 per dya", "20..30", "-1..3 per day", "..0 per day"]
)
def test_what_is_no_promise_is_refused(text: str) -> None:
    """No bound at all, bounds the wrong way round, an unknown span."""
    with pytest.raises(ValueError, match="no promise"):
        parse_expected(text)


@pytest.mark.parametrize(("count", "verdict"), [(0, "few"), (19, "few"), (20, ""), (400, ""), (401, "many")])
def test_bounds_belong_to_the_promise(count: int, verdict: str) -> None:
    """Exactly as many as promised is as promised."""
    assert parse_expected("20..400 per day").judged(count) == verdict
