"""The coordinator's doors: who is meant (review, rulings, undo), the month of a community, override rates by unit.

Rulings take a token with `acts = true` and name a worker of its unit; each can be undone by its number. They have the
rules of `hub identity`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from hub.web.callers import RoleCaller
from hub.web.office import MeetingDesk
from hub.web.refusals import RefusedError
from hub.web.work import REFUSALS, ActingCaller, By, Key, Words, act_of, found
from hub.web.work import Body as _Body

router = APIRouter(tags=["meeting"])
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Ruling(_Body):
    """About an item of the review list; `candidate` names one person where there are several."""

    reason: Words
    candidate: Name | None = None
    by: By


class Merge(_Body):
    """Two persons, or two households, by id."""

    one: Name
    other: Name
    reason: Words
    by: By


class Split(_Body):
    """The person at `position` among the parties of `record` (`unit.stream/number`)."""

    record: Name
    position: Annotated[int, Field(ge=0, le=1000)] = 0
    reason: Words
    by: By


class Undo(_Body):
    """A ruling taken back."""

    by: By


def desk_of(request: Request) -> MeetingDesk:
    return cast(MeetingDesk, request.app.state.meeting)


TheMeeting = Annotated[MeetingDesk, Depends(desk_of)]


def _listed(name: str, rows: Any) -> JSONResponse:
    if rows is None:
        raise RefusedError(404, "not_found", "ask for something that exists and is yours")
    return JSONResponse({name: [dict(row) for row in rows]})


@router.get("/v1/identity/review")
def review(
    caller: RoleCaller, desk: TheMeeting, kind: Literal["", "emergency", "identity", "backfill"] = ""
) -> Response:
    """What waits for a person: unreadable cries for help, doubtful persons, history to be adopted. Keys and ids."""
    return _listed("review", desk.review(caller, kind))


@router.get("/v1/identity/decisions")
def decisions(caller: RoleCaller, desk: TheMeeting) -> Response:
    """What people ruled about who is meant, as far as it stands."""
    return _listed("decisions", desk.decisions(caller))


@router.post("/v1/identity/review/{item}/accept", responses=REFUSALS)
def accept(item: str, body: Ruling, caller: ActingCaller, desk: TheMeeting, key: Key = None) -> Response:
    """The doubtful person is the candidate: the record moves to them, and lights are judged again."""
    return found(desk.rule(caller, "accept", item, act_of(body, key)))


@router.post("/v1/identity/review/{item}/reject", responses=REFUSALS)
def reject(item: str, body: Ruling, caller: ActingCaller, desk: TheMeeting, key: Key = None) -> Response:
    """The doubtful person is none of the candidates (or not the one named): nothing joins them from now on."""
    return found(desk.rule(caller, "reject", item, act_of(body, key)))


@router.post("/v1/identity/merges", responses=REFUSALS)
def merge(body: Merge, caller: ActingCaller, desk: TheMeeting, key: Key = None) -> Response:
    """Two persons, or two households, are one; never two valid ID numbers, never two households of the register."""
    return found(desk.rule(caller, "merge", body.one, act_of(body, key)))


@router.post("/v1/identity/splits", responses=REFUSALS)
def split(body: Split, caller: ActingCaller, desk: TheMeeting, key: Key = None) -> Response:
    """The person named there is not the one they were taken for: the record stands apart."""
    return found(desk.rule(caller, "split", body.record, act_of(body, key)))


@router.post("/v1/identity/decisions/{number}/undo", responses=REFUSALS)
def undo(number: str, body: Undo, caller: ActingCaller, desk: TheMeeting, key: Key = None) -> Response:
    """Take a ruling back: persons and households as before it, what came in between decided again."""
    return found(desk.rule(caller, "undo", number, act_of(body, key)))


@router.get("/v1/overrides/rates")
def rates(caller: RoleCaller, desk: TheMeeting) -> Response:
    """How often each unit decides against the records, up and down: a rubber stamp and a misfit show alike."""
    return _listed("rates", desk.rates(caller))


@router.get("/v1/communities/{community}/months/{month}")
def month(
    community: Annotated[str, Path(max_length=64)],
    month: Annotated[str, Path(max_length=10, description="YYYY-MM")],
    caller: RoleCaller,
    desk: TheMeeting,
    form: Literal["json", "html", "xlsx"] = "json",
    lang: Literal["zh", "en"] = "zh",
) -> Response:
    """The situation report for the monthly meeting. No names; counts of single units below five are not shown."""
    try:
        told = desk.month(caller, community, month, form, lang)
    except ValueError as error:
        raise RefusedError(422, "date.invalid", "name a month that has begun, as 2026-11") from error
    if told is None:
        raise RefusedError(404, "not_found", "ask for something that exists and is yours")
    return Response(told[1], media_type=told[0])
