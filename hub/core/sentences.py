"""The explanation → sentences for people, in the language of the ``say`` function it is given.

English is the source of the messages; the catalogue under ``hub/locale`` holds the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.core.explain import FAMILIES
from hub.core.phrases import RULES, WORDS

Say = Callable[[str], str]


def render(explanation: Mapping[str, Any], say: Say) -> str:
    """The explanation as lines of text, in the language of ``say``."""
    lines = [
        say("Household {household} (community {community})").format(
            household=explanation["household"], community=explanation.get("community") or say("unknown")
        ),
        say("As of {at}: light {light}, since {since}").format(
            at=_when(explanation["as_of"]),
            light=say(explanation["light"]),
            since=_when(explanation["since"]) or "—",
        ),
    ]
    concerns = explanation["concerns"]
    lines += [say("No concern on file.")] if not concerns else [line for c in concerns for line in _sentences(c, say)]
    lines += _held_line(explanation["held"], say)
    lines += [_next_line(coming, say) for coming in (explanation["next"], *explanation.get("then", ()))]
    lines += _category_lines(explanation.get("categories", ()), say)
    lines.append(say("What each unit last contributed:"))
    lines += [_heard_line(heard, say) for heard in explanation["coverage"]]
    if explanation["light"] in ("unlit", "green", "yellow"):
        lines.append(say("A low light is no evidence of safety: it says only what the units have recorded."))
    lines.append(say("Policy {version}").format(version=explanation["policy_version"]))
    return "\n".join(lines)


def _sentences(concern: Mapping[str, Any], say: Say) -> list[str]:
    rule = concern["rule"]
    head = say("{rule} {light}, {state} since {since}: {what}").format(
        rule=rule if rule not in FAMILIES.values() else "·",
        light=say(concern["light"]),
        state=say(concern["state"]),
        since=_when(concern["since"]),
        what=say(RULES.get(rule, rule)),
    )
    lines = [f"  {head}"]
    if concern["clause"] or concern["law"]:
        lines.append(
            "      "
            + say("clause: {clause}").format(clause="；".join(filter(None, (concern["clause"], concern["law"]))))
        )
    lines += ["      " + _event_line(event, say) for event in concern["events"]]
    if concern["state"] == "closed":
        closing = concern.get("closing")
        how = word(concern.get("closed_by") or "date", say)
        lines.append("      " + say("closed {until} by: {how}").format(until=_when(concern["until"]), how=how))
        lines += ["      " + _event_line(closing, say)] if closing else []
    elif concern["closes_by"]:
        ways = say("; ").join(word(code, say) for code in concern["closes_by"])
        lines.append("      " + say("would be closed by: {ways}").format(ways=ways))
    if concern["missing"]:
        missing = say("; ").join(word(code, say) for code in concern["missing"])
        lines.append("      " + say("still missing: {missing}").format(missing=missing))
    lines += ["      " + say("note: {note}").format(note=word(note, say)) for note in concern.get("notes", ())]
    return lines


def _event_line(event: Mapping[str, Any], say: Say) -> str:
    return say("event: {unit}, {stream} {key}, {at}").format(
        unit=say(event["unit"]), stream=say(event["stream"]), key=event["key"], at=_when(event["at"]) or "—"
    )


def _held_line(held: Mapping[str, Any] | None, say: Say) -> list[str]:
    if not held:
        return []
    text = say("Evidence incomplete since {since}: {streams} not heard; the light would be {light}.")
    streams = ", ".join(held["streams"])
    return [text.format(since=_when(held["since"]), streams=streams, light=say(held["would_be"]))]


def _next_line(coming: Mapping[str, Any], say: Say) -> str:
    what = word(coming["by"], say)
    light = say(coming["light"]) if coming["light"] else say("whatever the records then say")
    if coming["at"]:
        return say("Next change: {at} to {light}, by {what}").format(at=_when(coming["at"]), light=light, what=what)
    return say("Next change: no date; to {light}, by {what}").format(light=light, what=what)


def _category_lines(categories: Iterable[Mapping[str, Any]], say: Say) -> list[str]:
    return [
        say("Special household: {category}, {since} – {until}").format(
            category=say(row["category"]), since=row["from"] or "…", until=row["until"] or "…"
        )
        for row in categories
    ]


def _heard_line(heard: Mapping[str, Any], say: Say) -> str:
    if not heard["stream"]:
        return f"  {say(heard['unit'])}"  # all that this reader may know
    state = say("overdue") if heard["overdue"] else say("heard")
    text = say("  {unit}, {stream}: {state} {heard_at}; last record {key} {last_at}")
    return text.format(
        unit=say(heard["unit"]),
        stream=say(heard["stream"]),
        state=state,
        heard_at=_when(heard["heard_at"]) or "—",
        key=heard["last_key"] or "—",
        last_at=_when(heard["last_at"]),
    )


def word(code: str, say: Say) -> str:
    """A code word of the policy as people read it; one without phrase, with spaces for its underscores."""
    return say(WORDS.get(code, code.replace("_", " ")))


def _when(at: str | None) -> str:
    """ISO text as people read it, to the minute, Asia/Shanghai."""
    return "" if at is None else at[:16].replace("T", " ")
