"""Every M rule, every negative and every duty, as situations in data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.owed_cases import owed_in, policy, read_cases, said

CASES = list(read_cases())


@pytest.mark.parametrize("one", CASES, ids=lambda one: f"{one['file']}: {one['name']}")
def test_case(one: dict[str, Any]) -> None:
    """What the case says is owed is owed, what it excludes is not, and the reports are exactly those it names."""
    owed = owed_in(one)
    lines = [said(o) for o in owed]

    for line in one.get("owes", ()):
        assert line in lines, "\n".join(lines)
    for word in one.get("nothing", ()):
        assert not [o for o in owed if o.closed is None and f"{o.what} {o.to} {o.slot}".startswith(word)], "\n".join(
            lines
        )
    if "reports" in one:
        reports = [
            " ".join([o.what, o.slot, str(o.facts["urgency"]), str(o.facts["kind"]), *o.facts["also"]])
            for o in owed
            if o.what[0] == "M" and o.closed is None
        ]
        assert sorted(reports) == sorted(one["reports"])


def test_every_rule_has_a_case() -> None:
    """Each M rule and each duty of the table is owed in at least one case."""
    told = {line.split()[0] for one in CASES for line in [*one.get("owes", ()), *one.get("reports", ())]}
    wanted = {row["id"] for table in ("report", "duty") for row in policy().raw[table]}

    assert wanted - told == {"D20", "D26", "D28", "D29"}  # of no household: test_duties; of people: test_decisions
