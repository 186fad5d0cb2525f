"""Whether the story ended as it had to: every light, report, duty, quarantine and receipt, and nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from hub.demo.district import SimulatedDistrict
from hub.demo.people import Family
from hub.demo.story import Plot

FINAL = frozenset({"answered", "cancelled"})


class Outcome(NamedTuple):
    """What the commands say at the end."""

    households: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    duties: list[dict[str, Any]]
    status: dict[str, Any]
    quarantine: list[dict[str, Any]]


def outcome(world: SimulatedDistrict) -> Outcome:
    """Asks the real commands beside the running daemon."""
    ask = world.commands
    return Outcome(
        ask.lines("households"),
        ask.lines("reports"),
        ask.lines("duties"),
        ask.json("status"),
        ask.json("quarantine", "list"),
    )


def failures(world: SimulatedDistrict, seen: Outcome, *, read_again: bool = False) -> Iterator[str]:
    """One sentence per thing that is not as the story demands.

    ``read_again``: the daemon was killed, so the overlap of a cursor was read again; a row that waits or is not ours is
    then told so again, and only its number of tellings grows.
    """
    for family, plot in world.story.families:
        yield from _family(world, family, plot, seen)
    yield from _records(world, seen, read_again)
    yield from _quarantine(world, seen)
    yield from _messages(world, seen)


def _family(world: SimulatedDistrict, family: Family, plot: Plot, seen: Outcome) -> Iterator[str]:
    name, expected = f"{plot.role}/{family.number}", plot.expected
    homes = [home for home in seen.households if _lives_in(home, family)]
    if len(homes) != 1:
        yield f"{name}: expected one household, found {len(homes)}"
        return
    home = homes[0]
    rules = {concern["rule"] for concern in home["concerns"]}
    if home["light"] != expected.light:
        yield f"{name}: expected {expected.light}, found {home['light']} ({', '.join(sorted(rules)) or 'no concern'})"
    elif rules != expected.rules:
        yield f"{name}: expected {sorted(expected.rules)}, found {sorted(rules)}"
    yield from _reports(name, family, plot, seen)
    owed = {duty["duty"] for duty in seen.duties if duty["household"] == home["household"]}
    if missing := expected.duties - owed:
        yield f"{name}: duties {sorted(missing)} are missing (there are {sorted(owed)})"


def _reports(name: str, family: Family, plot: Plot, seen: Outcome) -> Iterator[str]:
    mine = [r for r in seen.reports if (r.get("victim") or {}).get("id_number") == family.child.id_number]
    found = sorted((report["rule"], report["step"]) for report in mine)
    if found != sorted(plot.expected.reports):
        yield f"{name}: expected reports {sorted(plot.expected.reports)}, found {found}"


def later_lights(world: SimulatedDistrict, seen: Outcome) -> Iterator[str]:
    """What only a date changes, asked once per plot with ``explain --as-of``."""
    asked = set()
    for family, plot in world.story.families:
        if plot.role in asked or not plot.expected.later:
            continue
        asked.add(plot.role)
        home = next(home for home in seen.households if _lives_in(home, family))
        for days, light in plot.expected.later:
            day = (world.today + timedelta(days=days)).isoformat()
            told = world.commands.json("households", "explain", home["household"], "--as-of", day)
            if told["light"] != light:
                yield f"{plot.role}/{family.number}: expected {light} on {day}, found {told['light']}"


def unexplained(world: SimulatedDistrict, seen: Outcome) -> Iterator[str]:
    """Every light names clause, event and unit; asked of one household per plot."""
    asked = set()
    for family, plot in world.story.families:
        if plot.role in asked or plot.expected.light == "unlit":
            continue
        asked.add(plot.role)
        home = next(home for home in seen.households if _lives_in(home, family))
        told = world.commands.json("households", "explain", home["household"])
        for concern in told["concerns"]:
            if not concern["clause"] or not concern["events"] or not all(e["unit"] for e in concern["events"]):
                yield f"{plot.role}/{family.number}: {concern['rule']} lacks clause, event or unit"


def _lives_in(home: dict[str, Any], family: Family) -> bool:
    numbers = {member["id_number"] for member in home["members"]}
    return family.wife.id_number in numbers or family.husband.id_number in numbers


def _records(world: SimulatedDistrict, seen: Outcome, read_again: bool) -> Iterator[str]:
    counts = seen.status["counts"]
    fates = Counter(beat.fate for beat in world.story.beats)
    answers = sum(len(source.published["report_feedback"]) for source in _rest(world, "police"))
    settled = sum(counts[fate] for fate in ("applied", "unchanged", "quarantined", "rejected", "pending"))
    if counts["received"] != settled:
        yield f"received {counts['received']} is not the sum of its parts {settled}"
    for fate in ("quarantined", "rejected"):
        if counts[fate] != fates[fate] and not (read_again and counts[fate] > fates[fate]):
            yield f"expected {fates[fate]} records {fate}, found {counts[fate]}"
    compared = [s["reconciled"] for c in seen.status["connectors"] for s in c["streams"] if s["reconciled"]]
    if not compared or any(told["differ"] for told in compared):
        yield f"days of streams differ from their sources: {compared}"
    if counts["applied"] != fates["applied"] + answers:
        yield f"expected {fates['applied'] + answers} records applied, found {counts['applied']}"


def _quarantine(world: SimulatedDistrict, seen: Outcome) -> Iterator[str]:
    """Each broken row once under its code and field, however often it was read; cries for help are tasks."""
    beats = [beat for beat in world.story.beats if beat.fate == "quarantined"]
    expected = Counter((beat.unit, beat.stream, beat.code, beat.field, beat.urgent) for beat in beats)
    found = Counter[tuple[str, str, str, str, bool]]()
    for group in seen.quarantine:
        where = (group["unit"], group["stream"], group["code"], group["field"])
        found[*where, True] += group["urgent"]
        found[*where, False] += group["count"] - group["urgent"]
    for spot in sorted({*expected, *+found}):
        if expected[spot] != found[spot]:
            yield f"expected {expected[spot]} rows waiting as {spot}, found {found[spot]}"
    urgent = sum(beat.urgent for beat in beats)
    if seen.status["emergencies"]["open"] != urgent:
        yield f"expected {urgent} cries for help, found {seen.status['emergencies']['open']}"
    if sum(duty["duty"] == "D26" for duty in seen.duties) != 2 * urgent:
        yield "an unreadable cry for help is not the coordinator's and the head's duty (D26)"


def _messages(world: SimulatedDistrict, seen: Outcome) -> Iterator[str]:
    inboxes = [source.inbox for source in (*_rest(world), *world.desks.values())] + [world.border.inbox]
    for inbox in inboxes:
        if inbox.changed:
            yield f"{inbox.unit}: {len(inbox.changed)} messages came again with other bytes"
    (police,) = _rest(world, "police")
    sent = {key for key, message in police.inbox.messages.items() if message["message_kind"] == "mandatory_report"}
    made = {report["report_no"] for report in seen.reports}
    if sent != made:
        yield f"the police have {len(sent)} reports, the hub made {len(made)}"
    for number in sorted(sent):
        if "reporter" not in police.inbox.messages[number]["message"]:
            yield f"{number}: the report has no place for its reporter"
    for inbox in inboxes:
        if inbox.unit == "police":
            continue
        for raw in inbox.raw.values():
            if re.search(rb"13711112222", raw):
                yield f"{inbox.unit}: a message names the reporter"
                break


def _rest(world: SimulatedDistrict, unit: str | None = None) -> list[Any]:
    return [
        source for name, source in world.sources.items() if hasattr(source, "inbox") and (unit is None or name == unit)
    ]
