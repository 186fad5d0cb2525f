"""What people have to do, and what they do: queue, loads, duties; decisions, objections and answers as records.

Writing takes a token with `acts = true`, bound to a unit, and names a worker of that unit; the rules are those of the
commands. `Idempotency-Key`: the same request again does nothing and answers as the first; another body is 409.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from hub.core.problems import remedy_of
from hub.web.callers import RoleCaller
from hub.web.office import Act, Caller, WorkDesk
from hub.web.refusals import RefusedError

router = APIRouter(tags=["work"])

REFUSALS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Durable; not judged yet. Ask again later."},
    401: {"description": "Unknown credential."},
    403: {"description": "The token decides nothing (`act.scope`), the worker is of another unit (`act.foreign`), or the act objected to is the unit's own (`act.own`)."},
    404: {"description": "Absent, or not the caller's: both alike."},
    409: {"description": "The Idempotency-Key was used for another body, or the duty has ended (`act.ended`)."},
    422: {"description": "Against the rules: a stable code and what to do; never a value that came in."},
    503: {"description": "Not stored. Send it again after Retry-After seconds."},
}  # fmt: skip

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="The same request happens once at most."),
]
By = Annotated[str, Field(min_length=1, max_length=64, description="Who: a number of the `worker` stream.")]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
Day = Annotated[str, Field(max_length=40, examples=["2026-12-31"], description="A day (its end), or an instant.")]


class Body(BaseModel):
    """What an act says; fields it does not know are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Override(Body):
    """A decision about a light; down from red takes two persons of two units, each by its own token."""

    light: Literal["red", "orange", "yellow", "green", "unlit"]
    reason: Words
    until: Day
    recheck: Day | None = None
    by: By


class Release(Body):
    """A decision taken back."""

    by: By
    reason: Words | None = None


class Objection(Body):
    """What the family says; `about` is `light`, `unit.stream/number` of a record, or a decision's number."""

    statement: Words
    about: Annotated[str, Field(min_length=1, max_length=64)] = "light"
    by: By


class ObjectionAnswer(Body):
    """What the family is told; never by the unit whose act it is."""

    decision: Literal["upheld", "partly", "refused"]
    text: Words
    by: By


class DutyAnswer(Body):
    """A step of a duty: accepted (`to`: handed over to that worker), done with `outcome`, returned with its reason."""

    status: Literal["accepted", "done", "returned"]
    by: By
    outcome: Annotated[str, Field(max_length=64, description="A short word, without personal data.")] | None = None
    to: By | None = None


def desk_of(request: Request) -> WorkDesk:
    return cast(WorkDesk, request.app.state.work)


TheWork = Annotated[WorkDesk, Depends(desk_of)]


def acting_caller(caller: RoleCaller) -> Caller:
    """A token that may decide; every other one is refused before anything is looked up."""
    if not caller.acts:
        raise RefusedError(403, "act.scope", remedy_of("act.scope"))
    return caller


ActingCaller = Annotated[Caller, Depends(acting_caller)]


def act_of(body: Body, key: str | None) -> Act:
    """The act as the desk takes it."""
    return Act(body.model_dump(exclude_none=True), key)


def found(told: Any) -> JSONResponse:
    """200 with what was recorded, 202 while it waits to be judged, 404 when it is absent or not the caller's."""
    if told is None:
        raise RefusedError(404, "not_found", "ask for something that exists and is yours")
    return JSONResponse(dict(told), status_code=202 if told["state"] == "pending" else 200)


@router.get("/v1/queue")
def queue(caller: RoleCaller, desk: TheWork, worker: str = "", unit: str = "", community: str = "") -> JSONResponse:
    """Today's work in order, each place with clause, last event and what is overdue, as a sentence in zh and en."""
    return JSONResponse(dict(desk.queue(caller, worker, unit, community)))


@router.get("/v1/workers")
def workers(caller: RoleCaller, desk: TheWork, unit: str = "") -> JSONResponse:
    """What every worker carries: open red and orange households, duties, overdue ones; `heavy`: too much for one."""
    return JSONResponse({"workers": [dict(row) for row in desk.workers(caller, unit)]})


@router.get("/v1/duties")
def duties(caller: RoleCaller, desk: TheWork, overdue: bool = False) -> JSONResponse:
    """Open duties of the caller's unit (all for the coordinator), reasons as far as the role may know them."""
    return JSONResponse({"duties": [dict(row) for row in desk.duties(caller, overdue=overdue)]})


@router.post("/v1/duties/{number}/answers", responses=REFUSALS)
def duty_answer(number: str, body: DutyAnswer, caller: ActingCaller, desk: TheWork, key: Key = None) -> JSONResponse:
    """Accept a duty, hand it over, give it back with its reason, or close it with its outcome."""
    return found(desk.duty_answer(caller, number, act_of(body, key)))


@router.post("/v1/households/{household}/overrides", responses=REFUSALS)
def override(household: str, body: Override, caller: ActingCaller, desk: TheWork, key: Key = None) -> JSONResponse:
    """Decide a light, with reason, person and end."""
    return found(desk.override(caller, household, act_of(body, key)))


@router.post("/v1/households/{household}/overrides/release", responses=REFUSALS)
def release(household: str, body: Release, caller: ActingCaller, desk: TheWork, key: Key = None) -> JSONResponse:
    """Take a decision back; of what holds a red light two persons of two units, like the way down."""
    return found(desk.release(caller, household, act_of(body, key)))


@router.post("/v1/households/{household}/objections", responses=REFUSALS)
def objection(household: str, body: Objection, caller: ActingCaller, desk: TheWork, key: Key = None) -> JSONResponse:
    """Take down what the family objects to: it stays, and is answered within ten working days."""
    return found(desk.objection(caller, household, act_of(body, key)))


@router.post("/v1/households/{household}/objections/{number}/answers", responses=REFUSALS)
def objection_answer(
    household: str, number: str, body: ObjectionAnswer, caller: ActingCaller, desk: TheWork, key: Key = None
) -> JSONResponse:
    """Answer an objection of the family."""
    return found(desk.objection_answer(caller, household, number, act_of(body, key)))
