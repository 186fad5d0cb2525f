"""What people may do, by which rules, and the record that comes of it: decisions, objections, answers, duties.

One rule for every door: the command and the HTTP face ask here, and land the row as a record of the hub's own unit. A
refusal says what, why and what to do under a stable code; it never quotes what somebody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.core.clocks import end_of_day
from hub.core.errors import PersonError
from hub.core.faults import Text
from hub.core.records import SHANGHAI, Light

Row = dict[str, Any]

REFUSALS: dict[str, Text] = {
    "act.scope": Text(
        "This token may read, and decides nothing", "该凭据只能查阅，不能作出决定",
        'give the token `acts = true` in hub.toml [[tokens]]', "请在 hub.toml [[tokens]] 中为该凭据设 acts = true"),
    "act.nameless": Text(
        "Nobody of the team is named, and here somebody must be", "未写明队伍中的办理人",
        "give a number of the worker stream; `hub ingest UNIT worker FILE` makes workers known", "请填写工作队伍中的工号；以 hub ingest UNIT worker FILE 登记"),
    "act.foreign": Text(
        "The person named belongs to another unit", "办理人不属于本单位",
        "let somebody of the unit concerned do it, with that unit's own token", "请由相应单位人员以本单位凭据办理"),
    "act.light": Text(
        "No such light", "灯色无法识别", "choose red, orange, yellow, green or unlit", "请选 red、orange、yellow、green 或 unlit"),
    "act.reason": Text(
        "It needs its reason", "须写明理由", "say why", "请写明理由"),
    "act.until": Text(
        "It needs its end, on a day to come", "须写明将来的截止日", "name its last day", "请写明最后一日"),
    "act.recheck": Text(
        "The day to look again is not between now and the end", "复核日不在有效期内", "look again before it ends", "请在截止日前安排复核"),
    "act.about": Text(
        "No record and no decision of this household is called so", "该家庭没有此记录或决定",
        "name one of the explanation: unit.stream/number, or the decision's number", "请填写解释中列出的 单位.数据流/编号 或决定编号"),
    "act.objection": Text(
        "This household has no such objection", "该家庭没有此异议", "see the explanation", "请查看解释"),
    "act.own": Text(
        "A unit may not answer an objection to its own act", "不得由本单位答复对本单位行为的异议",
        "let somebody of another unit look into it", "请由其他单位核查答复"),
    "act.decision": Text(
        "The answer decides nothing", "答复结论无法识别", "write upheld, partly or refused", "请写 upheld、partly 或 refused"),
    "act.status": Text(
        "No such step of a duty", "转办状态无法识别", "write accepted, done or returned", "请写 accepted、done 或 returned"),
    "act.step": Text(
        "No step of the ladder is called so", "没有此办理步骤", "name one of the steps, with texts only", "请填写列出的步骤，各项均为文字"),
    "act.feedback": Text(
        "The feedback is refused", "反馈内容有误", "correct the field that is named, and send it again", "请更正所列字段后重发"),
    "act.outcome": Text(
        "It needs its outcome in a short word", "须写明结果", "name the outcome, without personal data", "请填写结果，不含个人信息"),
    "act.ended": Text(
        "This duty has ended", "该转办事项已结束", "nothing to do: see its outcome", "无需处理：请查看结果"),
    "identity.item": Text(
        "No open item of the review list is called so", "复核清单中没有此待办", "see `hub identity review`", "请查看 hub identity review"),
    "identity.candidate": Text(
        "Not one of the item's candidates, or several and none is named", "须指明候选人之一",
        "name one of the candidates that `hub identity review` shows", "请指明 hub identity review 所列的一名候选人"),
    "identity.unknown": Text(
        "No person, household or record is called so", "没有此人员、家庭或记录",
        "name two persons or two households by their ids, or a record as unit.stream/number", "请填写两名人员或两个家庭的编号，或 单位.数据流/编号"),
    "identity.numbers": Text(
        "Two valid different ID numbers are two persons", "两个有效且不同的证件号码不属同一人",
        "let the unit that sent the wrong number correct its record", "请由报送单位更正错误的号码"),
    "identity.registered": Text(
        "Both households stand in the register", "两户均已登记",
        "let the grid correct the register: its rows decide", "请由网格平台更正住户登记"),
    "identity.one": Text(
        "They are one already", "已是同一人或同一户", "nothing to do", "无需处理"),
    "identity.decision": Text(
        "No decision that stands is called so", "没有此有效决定", "see `hub identity decisions`", "请查看 hub identity decisions"),
    "act.date": Text(
        "Not a moment", "时间无法识别", "write a day such as 2026-03-01, or an instant such as 2026-03-01T10:30:00+08:00",
        "请写 2026-03-01 或 2026-03-01T10:30:00+08:00"),
}  # fmt: skip
"""Code → why something that a person wanted to do is refused."""

ANSWERS = ("upheld", "partly", "refused")
STATUSES = ("accepted", "done", "returned")


class ActError(PersonError):
    """What a person wants to do is against the rules; nothing was recorded."""

    def __init__(self, code: str, detail: str = "", remedy: str = "") -> None:
        """``detail`` may repeat what was given and is for the person alone; ``remedy`` says more than the code's own."""
        text = REFUSALS[code]
        self.detail = detail
        super().__init__(f"{text.english}{': ' if detail else ''}{detail}", code=code, remedy=remedy or text.remedy)


class Actor(NamedTuple):
    """Who does it: a worker's number with the unit that the `worker` stream names, else only a name without unit."""

    by: str
    unit: str | None
    at: datetime


def override(told: Mapping[str, Any], actor: Actor, light: str, reason: str, until: str, recheck: str = "") -> Row:
    """A decision about a light; down only by somebody of a known unit. ``told`` is the household's explanation now."""
    if light not in Light.__members__:
        raise ActError("act.light")
    if not reason.strip():
        raise ActError("act.reason")
    ends = moment(until) if until else None
    if ends is None or ends <= actor.at:
        raise ActError("act.until")
    if actor.unit is None and Light[light] < Light[told["light"]]:
        raise ActError("act.nameless")
    row = {**_by(told, actor), "light": light, "reason": reason, "until": _as_asked(until)}
    if recheck:
        if not actor.at < moment(recheck) <= ends:
            raise ActError("act.recheck")
        row["recheck"] = _as_asked(recheck)
    return row


def release(told: Mapping[str, Any], actor: Actor, reason: str = "") -> Row:
    """A decision taken back, by somebody of a known unit."""
    if actor.unit is None:
        raise ActError("act.nameless")
    return {**_by(told, actor), "reason": reason or None}


def objection(told: Mapping[str, Any], actor: Actor, statement: str, about: str = "light") -> Row:
    """What the family objects to: the light, a record (``unit.stream/no``) or a decision (its number)."""
    if not statement.strip():
        raise ActError("act.reason")
    row = {**_by(told, actor), "about": about[:64], "of_unit": _unit_of(about, told), "statement": statement}
    del row["unit"]
    return row


def objection_answer(told: Mapping[str, Any], actor: Actor, no: str, decision: str, text: str) -> Row:
    """The answer to an objection; nobody of the unit whose act is objected to may give it."""
    if decision not in ANSWERS:
        raise ActError("act.decision")
    if not text.strip():
        raise ActError("act.reason")
    named = next((one for one in told["objections"] if one["no"] == no), None)
    if named is None:
        raise ActError("act.objection")
    if actor.unit is None:
        raise ActError("act.nameless", actor.by)
    if actor.unit == named["of_unit"]:
        raise ActError("act.own", actor.unit)
    return {**_by(told, actor), "objection_no": no, "decision": decision, "answer": text}


def duty_answer(duty: Mapping[str, Any], actor: Actor, status: str, outcome: str = "", to: str = "") -> Row:
    """A step of a duty: accepted (by a worker; ``to``: handed over to another), done with outcome, returned with reason."""
    if status not in STATUSES:
        raise ActError("act.status")
    if duty["state"] not in ("open", "accepted"):
        raise ActError("act.ended")
    if status == "accepted" and actor.unit is None:
        raise ActError("act.nameless", actor.by)
    if status != "accepted" and not outcome.strip():
        raise ActError("act.reason" if status == "returned" else "act.outcome")
    return {
        "duty_no": duty["duty_no"], "status": status, "at": actor.at.isoformat(),
        "outcome": outcome or ("handed_over" if to else None), "worker_no": to or (actor.by if actor.unit else None),
    }  # fmt: skip


def moment(text: str) -> datetime:
    """``2026-03-01`` (the end of that day) or an instant; one without zone is Shanghai's. Raises ActError."""
    try:
        if len(text) == len("2026-03-01"):
            return end_of_day(date.fromisoformat(text))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ActError("act.date") from None
    return at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at.astimezone(SHANGHAI)


def _as_asked(text: str) -> str:
    """A day stays a day: its last moment is its own (S1)."""
    return text if len(text) == len("2026-03-01") else moment(text).isoformat()


def _by(told: Mapping[str, Any], actor: Actor) -> Row:
    return {"household": told["household"], "at": actor.at.isoformat(), "by": actor.by, "unit": actor.unit}


def _unit_of(about: str, told: Mapping[str, Any]) -> str | None:
    """The unit whose act it is: of a record its sender, of a decision the unit of the person who decided."""
    decided = next((one for one in told["overrides"] if one["no"] == about), None)
    if decided is not None:
        return str(decided["unit"]) if decided["unit"] else None
    if about == "light":
        return None
    records = {f"{link['unit']}.{link['stream']}/{link['key']}": str(link["unit"]) for link in told["identity"]}
    if about not in records:
        raise ActError("act.about")
    return records[about]
