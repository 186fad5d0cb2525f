"""The explanation → sentences for people, in the language of the ``say`` function it is given.

English is the source of the messages; the catalogue under ``hub/locale`` holds the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hub.core import inaction
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
        *_known_lines(explanation, say),
        *_successor_line(explanation, say),
    ]
    concerns = explanation["concerns"]
    lines += (
        [say("No concern on file.")]
        if not concerns
        else [line for c in concerns for line in _sentences(c, explanation["light"], say)]
    )
    lines += _held_line(explanation["held"], say)
    lines += [_next_line(coming, say) for coming in (explanation["next"], *explanation.get("then", ()))]
    lines += [inaction.sentence(row, say) for row in explanation.get("inaction", ())]
    lines += decision_lines(explanation, say)
    lines += _category_lines(explanation.get("categories", ()), say)
    lines += _ground_lines(explanation, say)
    if explanation["light"] in ("unlit", "green", "yellow"):
        lines.append(say("A low light is no evidence of safety: it says only what the units have recorded."))
    lines.append(say("Policy {version}").format(version=explanation["policy_version"]))
    return "\n".join(lines)


def _successor_line(explanation: Mapping[str, Any], say: Say) -> Iterator[str]:
    if explanation.get("successor"):
        yield say("closed; its records are on") + ": " + explanation["successor"]


def decision_lines(explanation: Mapping[str, Any], say: Say) -> Iterator[str]:
    """What people decided and what the family objects to."""
    for one in explanation.get("overrides", ()):
        text = say("Decision {no}: {light} until {until}, by {by} of {unit}: {state}")
        line = text.format(
            no=one.get("no") or "·",
            light=say(one["light"] or "release"),
            until=_when(one["until"]) or "—",
            by=one.get("by") or "—",
            unit=say(one.get("unit") or "unknown"),
            state=word(one.get("ended_by") or one["state"], say),
        )
        yield line + (say("; reason: {reason}").format(reason=one["reason"]) if one.get("reason") else "")
    if "override_waits" in explanation.get("notes", ()):
        yield word("override_waits", say)
    custody = explanation.get("custody")
    if custody:
        text = say("File {no}: {state}, {receiver}, {at}")
        state, at = word(f"file_{custody['state']}", say), _when(custody["at"])
        yield text.format(no=custody["file_no"], state=state, receiver=custody["with"], at=at)
    for one in explanation.get("objections", ()):
        answers = say("; ").join(f"{say(a['decision'])} ({say(a['unit'])})" for a in one["answers"])
        text = say("Objection {no} of {at} about {about}: {state}")
        about = say("the light") if one["about"] == "light" else one["about"]
        yield text.format(no=one["no"], at=_when(one["at"]), about=about, state=answers or say("not answered yet"))


def _known_lines(explanation: Mapping[str, Any], say: Say) -> Iterator[str]:
    """That the answer is what was known at a moment of the past, and what was written down then."""
    if not explanation.get("known_at"):
        return
    yield say("With what the hub knew at {at}; what came in later is left out.").format(
        at=_when(explanation["known_at"])
    )
    later = [one["no"] for one in explanation.get("identity_decisions", ()) if one["at"] > explanation["known_at"]]
    yield say("Records stand where they stood then; who their persons are is what is known today.")
    if later:
        yield say("Decided about persons since then: {numbers}").format(numbers=say(", ").join(later))
    recorded = explanation.get("recorded")
    if recorded:
        text = say("The hub wrote down {light} at {at}.")
        yield text.format(light=say(recorded["light"]), at=_when(recorded["at"]))


def _ground_lines(explanation: Mapping[str, Any], say: Say) -> Iterator[str]:
    """What the light rests on: what was heard, what is silent, what nobody said, and who is meant."""
    yield say("What each unit last contributed:")
    yield from (_heard_line(heard, say) for heard in explanation["coverage"])
    evidence = explanation.get("evidence")
    if evidence and not evidence["complete"]:
        text = say("Evidence incomplete since {since}: {streams}")
        yield text.format(since=_when(evidence["since"]) or "—", streams=", ".join(evidence["streams"]))
    yield from (thin_line(thin, say) for thin in explanation.get("thin", ()))
    silent = [say(heard["unit"]) for heard in explanation.get("unheard", ())]
    if silent:
        yield say("Nothing on this timeline from: {units}").format(units=say(", ").join(silent))
    for one in explanation.get("identity_decisions", ()):
        text = say("Decided by people, {no} of {at}: {what} ({records}), by {by} of {unit}")
        yield text.format(
            no=one["no"], at=_when(one["at"]), what=word(f"identity_{one['act']}", say),
            records=say(", ").join(filter(None, (one["record"], one["other"]))), by=one["by"], unit=say(one["unit"]),
        )  # fmt: skip
    uncertain = [link for link in explanation.get("identity", ()) if link["open_reviews"] or link["why"] != "together"]
    if uncertain:
        yield say("Identity decisions it rests on:")
    for link in uncertain:
        text = say("  {unit}, {stream} {key}: {why}")
        why = [link["why"], *link["open_reviews"]]
        yield text.format(
            unit=say(link["unit"]),
            stream=say(link["stream"]),
            key=link["key"],
            why=say("; ").join(word(w, say) for w in why),
        )


def thin_line(thin: Mapping[str, Any], say: Say) -> str:
    """That a stream or community has far fewer records than before: silence where there used to be records."""
    unit, _, stream = thin["subject"].partition(".")
    subject = say("community {code}").format(code=unit) if unit.isdigit() else say(unit)
    if stream:
        subject = f"{subject} {say(stream)}"
    text = say("Far fewer records than before from {subject} since {since}: that is no evidence of calm.")
    return text.format(subject=subject, since=_when(thin["since"]))


def _sentences(concern: Mapping[str, Any], light: str, say: Say) -> list[str]:
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
    elif concern.get("ways"):
        lines += ["      " + line for way in concern["ways"] for line in _way_lines(way, light, say)]
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


def _way_lines(way: Mapping[str, Any], light: str, say: Say) -> Iterator[str]:
    """One way down: by what, to which light, from when; what is missing and who owes it."""
    when = way["at"] or way["not_before"]
    text = (
        say("way down: {what}; the light stays {light}")
        if way["light"] == light
        else say("way down: {what}, to {light}")
    )
    line = text.format(what=word(way["by"], say), light=say(way["light"]))
    if when:
        line += say(", on {at}").format(at=_when(when)) if way["at"] else say(", from {at}").format(at=_when(when))
    yield line + _owed(way["owed_by"], say)
    for lack in way["missing"]:
        text = say("  missing: {proof}").format(proof=word(lack["proof"], say))
        yield text + _owed(lack["owed_by"], say)


def _owed(units: Iterable[str], say: Say) -> str:
    named = say(", ").join(say(unit) for unit in units)
    return say(" (owed by {units})").format(units=named) if named else ""


def _next_line(coming: Mapping[str, Any], say: Say) -> str:
    what = word(coming["by"], say)
    light = say(coming["light"]) if coming["light"] else say("whatever the records then say")
    if coming["at"]:
        return say("Next change: {at} to {light}, by {what}").format(at=_when(coming["at"]), light=light, what=what)
    text = say("Next change: no date; to {light}, by {what}")
    if coming.get("together"):
        text = say("Next change: no date; to {light} once all that stands so high has ended, also by {what}")
    line = text.format(light=light, what=what)
    if coming.get("not_before"):
        line += say(", from {at}").format(at=_when(coming["not_before"]))
    return line + _owed(coming.get("owed_by", ()), say)


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
    return say(WORDS.get(code) or RULES.get(code) or code.replace("_", " "))


def _when(at: str | None) -> str:
    """ISO text as people read it, to the minute, Asia/Shanghai."""
    return "" if at is None else at[:16].replace("T", " ")
