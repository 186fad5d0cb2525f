"""What roles may read: lights, explanations, reports and their ladder, the change feed. Absent and forbidden alike: 404."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from hub.core.records import SHANGHAI
from hub.core.sentences import render
from hub.speech import speak
from hub.web.callers import AnyCaller, RoleCaller, TheOffice
from hub.web.refusals import RefusedError

router = APIRouter(tags=["people"])
FEED = 500
"""Entries of a feed in one answer; the reader asks again after the last."""


def _found(value: Any) -> JSONResponse:
    if value is None:
        raise RefusedError(404, "not_found", "ask for something that exists and is yours")
    return JSONResponse(value if isinstance(value, (dict, list)) else dict(value))


def moment(text: str | None) -> datetime | None:
    """``as_of`` of a query: an ISO instant, or a day, which means its end (S1)."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(datetime.fromisoformat(text).date(), time.max, SHANGHAI)
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise RefusedError(422, "date.invalid", "send as_of as 2026-11-24 or 2026-11-24T10:00:00+08:00") from error
    return at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at.astimezone(SHANGHAI)


@router.get("/v1/households")
def households(
    caller: RoleCaller, office: TheOffice, community: str | None = None, light: str | None = None
) -> JSONResponse:
    """Households of the caller's communities with their lights; reasons as far as the role may know them."""
    return JSONResponse({"households": [dict(row) for row in office.households(caller, community, light)]})


@router.get("/v1/households/{household}")
def household(household: str, caller: RoleCaller, office: TheOffice) -> JSONResponse:
    """One household with its light, members (as the role may see them) and categories."""
    return _found(office.household(caller, household))


@router.get("/v1/households/{household}/explanation")
def explanation(
    household: str,
    caller: RoleCaller,
    office: TheOffice,
    as_of: str | None = None,
    known_at: str | None = None,
    text: str | None = None,
) -> Response:
    """Why the light is what it is, clause by clause, now or as of another moment; `known_at`: as the hub knew it then.

    `text=zh` or `text=en`: in sentences for people, by the same renderer as the command.
    """
    told = office.explanation(caller, household, moment(as_of), moment(known_at))
    if told is None or text is None:
        return _found(told)
    if text not in ("zh", "en"):
        raise RefusedError(422, "language.unknown", "ask for text=zh or text=en")
    return PlainTextResponse(render(told, speak(text)) + "\n")


@router.get("/v1/reports")
def reports(caller: RoleCaller, office: TheOffice, late: bool = False) -> JSONResponse:
    """Mandatory reports and where each stands on the ladder; `late=true`: only those with a late step."""
    return JSONResponse({"reports": [dict(row) for row in office.reports(caller, late=late)]})


@router.get("/v1/notices")
def notices(caller: RoleCaller, office: TheOffice) -> JSONResponse:
    """Corrections that no receiver has acknowledged yet: all for the coordinator, a unit's own for the unit."""
    return JSONResponse({"notices": [dict(row) for row in office.notices(caller)]})


@router.get("/v1/reports/{number}")
def report(number: str, caller: RoleCaller, office: TheOffice) -> JSONResponse:
    """One report with its steps; the reporter is never in it."""
    return _found(office.report(caller, number))


@router.post("/v1/reports/{number}/acknowledgements")
def acknowledge(
    number: str,
    step: Annotated[dict[str, Any], Body()],
    caller: AnyCaller,
    office: TheOffice,
) -> JSONResponse:
    """A step of the ladder by the police: `{"step", "at", "by", "receipt_no", "note", "until"}`."""
    return _found(office.acknowledge(caller, number, step))


@router.get("/v1/lights/changes")
def light_changes(caller: AnyCaller, office: TheOffice, after: str = "") -> JSONResponse:
    """Light changes after the number `after`, oldest first: `{"changes": [ … ], "next"}`."""
    return JSONResponse(dict(office.light_changes(caller, after, FEED)))


@router.get("/v1/parcels")
def parcels(caller: AnyCaller, office: TheOffice, after: str = "") -> JSONResponse:
    """Messages addressed to the caller's unit, for units that read instead of being posted to."""
    return JSONResponse(dict(office.parcels(caller, after, FEED)))
