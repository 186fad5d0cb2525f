"""The daily queue and a worker's load in sentences, in the language of the ``say`` function they are given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hub.core.phrases import DUTIES
from hub.core.queue import Item, Load, Place

Say = Callable[[str], str]


def heading(place: Place, say: Say) -> str:
    """Place, light, household and community on one line."""
    entry = place.entry
    if entry.household is None:
        return f"{place.n}. {named(entry.items[0].what, say)}"
    text = say("{n}. {light}, household {household}, community {community}")
    return text.format(
        n=place.n, light=say(entry.light.name), household=entry.household, community=entry.community or say("unknown")
    )


def item_line(item: Item, at: datetime, say: Say) -> str:
    """One thing owed: what, whose, until when, who has it."""
    text = say("{what} ({no}), {unit}, {due}, {worker}")
    return text.format(
        what=named(item.what, say), no=item.no, unit=unit_words(item.to, say), due=_due(item, at, say),
        worker=say("worker {no}").format(no=item.worker) if item.worker else say("nobody has it yet"),
    )  # fmt: skip


def why_here(place: Place, at: datetime, say: Say) -> str:
    """The sentence that explains a place: clause, last event, due date, and what puts it before the next."""
    rank = place.rank
    clause = say("; ").join(part for part in (rank.clause, rank.law) if part)
    parts = [
        say("{rank} ({clause})").format(rank=say(rank.title), clause=clause) if clause else say(rank.title or rank.id)
    ]
    parts.append(_since(place.days, say))
    if place.first is not None:
        parts.append(f"{named(place.first.what, say)} {_due(place.first, at, say)}")
    sentence = say("Here because: {reasons}.").format(reasons=say(", ").join(parts))
    follows = BEFORE[place.before_next]
    return sentence + (say(follows) if follows else "")


BEFORE = {
    "rank": " Before the next by its clause.",
    "recent": " Before the next because something happened more recently.",
    "overdue": " Before the next because it has been overdue longer.",
    "due": " Before the next because it is due earlier.",
    "number": " Otherwise like the next: by number.",
    "last": "",
}
"""What decides against the next entry, as a sentence."""


def load_line(load: Load, most: int, say: Say) -> str:
    """What a worker carries; above what one person can carry, a warning."""
    text = say("{households} open households ({lights}), {duties} duties, {overdue} overdue")
    lights = say(", ").join(f"{say(name)} {count}" for name, count in load.lights.items()) or "—"
    line = text.format(households=load.households, lights=lights, duties=load.duties, overdue=load.overdue)
    if load.heavy:
        line += say(": too many for one person (more than {most}); give some to somebody else").format(most=most)
    return line


def named(what: str, say: Say) -> str:
    """A duty or report as people call it, with its number in the table."""
    return f"{say(DUTIES[what])} {what}" if what in DUTIES else say(what)


def unit_words(to: str, say: Say) -> str:
    """A unit, a post, or a unit's head."""
    head, _, unit = to.partition(":")
    return say("head of {unit}").format(unit=say(unit)) if unit and head == "head" else say(to)


def _due(item: Item, at: datetime, say: Say) -> str:
    if item.due is None:
        return say("no date")
    if item.due < at:
        return say("overdue for {span}").format(span=span(at - item.due, say))
    return say("due {at}").format(at=item.due.isoformat()[:16].replace("T", " "))


def _since(days: int | None, say: Say) -> str:
    if days is None:
        return say("no event on file")
    return say("last event today") if days == 0 else say("last event {days} days ago").format(days=days)


def span(length: timedelta, say: Say) -> str:
    """A span as people say it: days from two on, else hours, else minutes."""
    if length >= timedelta(days=2):
        return say("{n} days").format(n=length.days)
    hours = int(length.total_seconds() // 3600)
    return say("{n} hours").format(n=hours) if hours else say("{n} minutes").format(n=int(length.total_seconds() // 60))
