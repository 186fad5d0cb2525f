"""Pre-assessment of special households (D17, policy section 6; S13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hub.core.book import Rule
from hub.core.clocks import after_last_day, day_of, days_between
from hub.core.followups import causes_of, light_spans
from hub.core.owing import Ground, earlier, ending, first_after, of_kind, owe
from hub.core.records import Event, Light, Owed, Span


def d17(g: Ground, rule: Rule) -> Iterator[Owed]:
    """A special household with any yellow or higher concern, or two minor signals within 30 days: pre-assessment."""
    special = [e for e in of_kind(g, "special_household") if _category(e)]
    if not special:
        return
    done = [*of_kind(g, "danger_assessed", "womens_federation"), *of_kind(g, "review_concluded")]
    causes = causes_of(g, Light.yellow)
    lit = light_spans(g, Light.yellow, above=True)
    for n, one in enumerate(lit, 1):
        holding = [e for e in special if _covers(e, one)]
        if holding:
            first = min(holding, key=lambda e: (max(e.at, one.since), e.key))
            start = max(first.at, one.since)
            keys, _, light_rule = causes(start, one.until)
            closed = earlier(first_after(start, done, keys), ending(one.until, g))
            yield owe(
                g, rule, "womens_federation", f"lit/{n}" if n > 1 else "lit", {first.key, *keys}, start,
                rule.due(1, start, g.calendar), cause=first.key, light_rule=light_rule, closed=closed,
            )  # fmt: skip
    for first, second in _signal_pairs(g, rule):
        at = second.at
        if any(s.since <= at and (s.until is None or at < s.until) for s in lit):
            continue  # the light speaks already
        holding = [e for e in special if e.at <= at and _covers(e, Span(Light.unlit, at, None))]
        if holding:
            keys = frozenset({first.key, second.key})
            yield owe(
                g, rule, "womens_federation", "signals", keys, at, rule.due(1, at, g.calendar),
                cause=second.key, closed=first_after(at, done, keys),
            )  # fmt: skip


def _category(event: Event) -> str:
    return str(event.facts.get("category") or "")


def _covers(event: Event, stood: Span) -> bool:
    until = event.facts.get("until")
    over = after_last_day(until) if isinstance(until, date) else None
    return (over is None or over > stood.since) and (stood.until is None or event.at < stood.until)


def _signal_pairs(g: Ground, rule: Rule) -> Iterator[tuple[Event, Event]]:
    """Minor signals on two different days within 30 (S13); a signal counts in one pair only."""
    signals = [e for e in g.events if g.is_signal(e, g.derived[e.key])]
    waiting: Event | None = None
    for event in sorted(signals, key=lambda e: (e.at, e.key)):
        if waiting is not None and 0 < days_between(waiting.at, event.at) <= int(rule.raw["signal_days"]):
            yield waiting, event
            waiting = None
        elif waiting is None or day_of(waiting.at) != day_of(event.at):
            waiting = event
