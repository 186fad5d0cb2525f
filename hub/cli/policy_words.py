"""The differences between two policies as sentences, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.core.phrases import NUMBERS, RULES, SECTIONS, WORDS
from hub.core.policy_diff import Difference, plain
from hub.core.sentences import Say


def told(found: Sequence[Difference], say: Say) -> Iterator[str]:
    """One sentence for each difference."""
    if not found:
        yield say("The two policies say the same.")
    for one in found:
        yield _sentence(one, say)


def _sentence(one: Difference, say: Say) -> str:
    what = " ".join(filter(None, (say(SECTIONS.get(one.section, one.section)), one.id)))
    meaning = RULES.get(one.id) or WORDS.get(one.id) or (NUMBERS.get(one.field) if not one.id else None)
    if meaning:
        what += say(" ({meaning})").format(meaning=say(meaning))
    if one.kind == "changed":
        text = say("{what}: {field} was {was}, would be {now}")
        return text.format(what=what, field=one.field, was=plain(one.was), now=plain(one.now)).replace(":  ", ": ")
    if one.kind == "added":
        return say("{what}: new, {field} {now}").format(what=what, field=one.field, now=plain(one.now))
    return say("{what}: left out, {field} was {was}").format(what=what, field=one.field, was=plain(one.was))
