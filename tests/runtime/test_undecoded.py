"""Drafts as a connector's process said them: decoded late, the same values, and nothing else than drafts."""

from __future__ import annotations

import pickle

import orjson
import pytest

from hub.core.errors import HubError, RetryError
from hub.core.records import Draft, Key, StreamKey
from hub.runtime.wire import BrokenFrameError, Undecoded, drafts_from_wire, drafts_to_wire

CALLS = StreamKey("police", "incident")
ROWS = [orjson.dumps({"call_no": f"J{number}"}) for number in range(3)]
BODY = b"[" + b",".join(ROWS) + b"]"
DRAFTS = [
    Draft(number, Key(*CALLS, f"J{number}"), "police_call", None, None, {"category": "1"}, (), (), {}, row)
    for number, row in enumerate(ROWS)
]


def broken(_: str) -> HubError:
    return RetryError("the process has ended", code="connector.broken")


def test_they_read_as_what_was_sent() -> None:
    """Length, order and values are those of the page, also after a way through another process."""
    head, blob = drafts_to_wire(DRAFTS, BODY)
    there = Undecoded(head, blob, BODY, CALLS, 3, 0, broken)
    assert list(drafts_from_wire(head, blob, BODY, CALLS, 3, 0)) == DRAFTS
    assert len(there) == 3
    assert list(pickle.loads(pickle.dumps(there))) == DRAFTS
    assert list(there) == DRAFTS


@pytest.mark.parametrize("rows", [2, 4])
def test_a_wrong_number_of_rows_is_seen_before_anything_lands(rows: int) -> None:
    """A process that says another number of rows than it sent is found out when its page arrives."""
    head, blob = drafts_to_wire(DRAFTS, BODY)
    with pytest.raises(BrokenFrameError):
        Undecoded(head, blob, BODY, CALLS, rows, 0, broken)


def test_what_is_no_draft_ends_its_process() -> None:
    """A blob that is no drafts raises what ends the process that said it; without such a one, the plain error."""
    head, _ = drafts_to_wire(DRAFTS, BODY)
    with pytest.raises(RetryError) as caught:
        list(Undecoded(head, b'["x","y","z"]', BODY, CALLS, 3, 0, broken))
    assert caught.value.code == "connector.broken"
    with pytest.raises(BrokenFrameError):
        list(Undecoded(head, b'["x","y","z"]', BODY, CALLS, 3, 0))
