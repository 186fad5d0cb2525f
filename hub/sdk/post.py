"""Sends messages by POST: ``Idempotency-Key`` is the message number, the bytes are what the parcel holds."""

from __future__ import annotations

from typing import Any

from hub.core.errors import CredentialsError, PersonError, RetryError
from hub.sdk.outcome import Outcome
from hub.sdk.peer import Peer, Reply, classify, retry_after
from hub.sdk.strictjson import StrictJSONError, loads

__all__ = ["PostSender"]

NUMBERS = ("receipt_no", "回执号")
"""Where a receiver puts its receipt number, at the top of its answer or under ``data``."""


class PostSender:
    """One address for one kind of message. Repeats are the outbox's business: one call is one attempt."""

    def __init__(self, peer: Peer, url: str) -> None:
        self._peer = peer
        self._url = url

    def send(self, no: str, body: bytes) -> Outcome:
        """received (2xx with number, or 409), sent (2xx without, 202), later (429, 5xx, no answer), or refused."""
        headers = {"Idempotency-Key": no, "Content-Type": "application/json; charset=utf-8"}
        try:
            reply = self._peer.call("POST", self._url, content=body, headers=headers)
        except RetryError as error:
            return Outcome("later", detail=error.code, after=error.after)
        except PersonError as error:
            return Outcome("later", detail=error.code)
        return self._judge(reply)

    def _judge(self, reply: Reply) -> Outcome:
        answer = _answer(reply)
        detail = f"http.{reply.status}"
        rows = [row for row in answer.get("feedback", ()) if isinstance(row, dict)] if reply.status < 300 else []
        number = _number(answer)
        if reply.status == 409:
            return Outcome("received", number, detail=detail)
        if reply.status == 202:
            return Outcome("received" if number else "sent", number, rows, detail, retry_after(reply.headers))
        error = classify(reply, self._peer.auth)
        if error is None:
            return Outcome("received" if number else "sent", number, rows, detail)
        if isinstance(error, RetryError):
            return Outcome("later", detail=detail, after=error.after)
        if isinstance(error, CredentialsError):
            return Outcome("refused", detail="credentials" if error.code.startswith("http.") else error.code)
        return Outcome("refused", detail=detail)


def _answer(reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer; anything else is no answer, never an error: the status has been given."""
    try:
        found = loads(reply.body) if reply.body.strip() else {}
    except StrictJSONError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(answer: dict[str, Any]) -> str | None:
    inner = answer.get("data")
    for place in (answer, inner if isinstance(inner, dict) else {}):
        for name in NUMBERS:
            value = place.get(name)
            if value not in (None, "") and isinstance(value, (str, int)) and not isinstance(value, bool):
                return str(value)[:200]
    return None
