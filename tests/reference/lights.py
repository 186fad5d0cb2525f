"""The light of one household at a moment (sections 2–4): a walk from instant to instant, from the first record on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from tests.reference.closers import amended, closers, counts_at, is_calm_visit, is_visit
from tests.reference.days import day, days_since, midnight
from tests.reference.incidents import incidents, key, linked
from tests.reference.opens import is_r6, opened_by, reports_of
from tests.reference.overrides import Decisions
from tests.reference.people import Row, victim
from tests.reference.states import divorces, orders

Concern = dict[str, Any]  # rule, group, since, last, rows, until, by
COLOURS = ("unlit", "green", "yellow", "orange", "red")
NUMBERS = {
    "signers": 2, "review_red_days": 180, "review_orange_days": 90, "review_yellow_days": 90, "observation_days": 90,
    "observation_visits": 3, "green_days": 365, "often_days": 3, "often_window": 90,
}  # fmt: skip
STATES = ("R3", "O6", "Y1", "Y2")
VIOLENT = ("R1", "R2", "R4", "R5", "R6", "R7", "R8", "R9", "O2", "O3", "O5")


def colour(rule: str) -> int:
    return {"R": 4, "O": 3, "T": 3, "Y": 2, "G": 1}[rule[0]]


class Walk:
    """One household's story up to ``as_of``; ``numbers`` are the policy's, perhaps changed by an overlay."""

    def __init__(
        self,
        rows: list[Row],
        as_of: datetime,
        silences: list[Row] | None = None,
        reports: list[Row] | None = None,
        numbers: dict[str, int] | None = None,
        edition: dict[str, Any] | None = None,  # from, numbers: another edition of the policy from a day on
    ) -> None:
        self.rows = sorted(amended(rows), key=lambda row: (row["at"], row["unit"], row["stream"], row["no"]))
        self.as_of = as_of
        self.silences = silences or []
        self.reports = reports or []
        self.numbers = {**NUMBERS, **(numbers or {})}
        self.edition = edition
        self.concerns: list[Concern] = []
        self.violence: list[tuple[datetime, str | None]] = []  # (when, report): the violent events of S9 so far
        self.waiting: list[tuple[Row, str]] = []  # steps down that wait for a silent stream
        self.effective: dict[tuple[str, str], list[str]] = {}  # mediation → what its resolution closed
        self.newest: tuple[datetime, Row] | None = None  # the newest resolution, unless it was broken
        self.answered: set[str] = set()
        self.spans = orders(self.rows) + divorces(self.rows)
        self.lights: list[tuple[datetime, str]] = []  # of the records alone
        self.openings: list[tuple[datetime, int]] = []  # when a concern of which level was opened or joined
        self.incidents = incidents(self.rows)
        self.closings = [(at, row, step) for row in self.rows for at, step in closers(row)]

    # -- the agenda ----------------------------------------------------------------------------------------------------

    def run(self) -> Walk:
        now: datetime | None = None
        fixed = self.fixed_instants()
        while True:
            coming = [t for t in fixed + self.moving_instants() if now is None or t > now]
            if not coming or min(coming) > self.as_of:
                decisions = Decisions(self).run()
                self.shown, self.decided = decisions.shown, decisions.made
                return self
            now = min(coming)
            self.instant(now)
            if self.light() != (self.lights[-1][1] if self.lights else "unlit"):
                self.lights.append((now, self.light()))

    def fixed_instants(self) -> list[datetime]:
        found = [row["at"] for row in self.rows] + [at for at, _, _ in self.closings]
        found += [when for row in self.rows if row["stream"] == "admonition" for when in [self.letter_time(row)]]
        found += [when for span in self.spans for when in (span["since"], span["until"]) if when is not None]
        found += [counts_at(row) for row in self.rows if is_visit(row)]
        found += [silence["until"] for silence in self.silences if silence["until"] is not None]
        found += [midnight(self.edition["from"])] if self.edition else []
        return sorted(set(found))

    def moving_instants(self) -> list[datetime]:
        """T1 after its days, G1 after its year: these move while the story goes on."""
        found = []
        for concern in self.open():
            if concern["rule"] == "T1":
                found.append(midnight(concern["set_back"] + timedelta(days=self.numbers["observation_days"])))
            if concern["rule"] == "G1":
                found.append(midnight(day(concern["fresh"]) + timedelta(days=self.numbers["green_days"])))
        return found

    # -- one instant (S1): what older records close, then what opens, then what the same record closes -----------------

    def instant(self, now: datetime) -> None:
        self.red_ended = False
        if self.edition and now >= midnight(self.edition["from"]):  # the day picks the counts
            self.numbers = {**self.numbers, **self.edition["numbers"]}
        self.close(now, lambda row: row["at"] < now)
        self.pass_time(now, same=False)
        if self.red_ended and not self.count_red() and not self.red_opens(now):
            self.open_one("T1", now, None)
        self.start_states(now)
        rows = [row for row in self.rows if self.time_of(row) == now]
        for row in rows:
            for rule in opened_by(row):
                if rule != "Y3?":
                    self.open_event(rule, now, row)
        for row in rows:
            if "O4?" in self.often(row):
                self.open_event("O4", now, row)
        for row in rows:
            if "Y3?" in opened_by(row) and not [c for c in self.open() if c["rule"] != "G1"]:
                self.open_event("Y3", now, row)
            self.set_back_by_visit(now, row)
        self.close(now, lambda row: row["at"] == now)
        self.pass_time(now, same=True)
        if self.red_ended and not self.count_red() and not any(c["rule"] == "T1" for c in self.open()):
            self.open_one("T1", now, None)

    def time_of(self, row: Row) -> datetime:
        return self.letter_time(row) if row["stream"] == "admonition" else row["at"]

    def start_states(self, now: datetime) -> None:
        for span in self.spans:
            if span["since"] == now:
                self.openings.append((now, colour(span["rule"])))
                self.concerns.append(
                    {"rule": span["rule"], "group": None, "since": now, "last": now, "rows": [(now, span["row"])], "until": None,
                     "span": span, "by": None}
                )  # fmt: skip
                self.after_opening(span["rule"], now, fresh=True)

    def red_opens(self, now: datetime) -> bool:
        if any(span["since"] == now and span["rule"] == "R3" for span in self.spans):
            return True
        return any(rule[0] == "R" for row in self.rows if self.time_of(row) == now for rule in self.rules_of(row))

    # -- what opens ----------------------------------------------------------------------------------------------------

    def rules_of(self, row: Row) -> list[str]:
        """S17: a letter graded general whose call has R6 facts is a source of that R6."""
        if row["stream"] == "admonition" and opened_by(row) == ["O2"] and self.fierce_call(row):
            return ["R6"]
        return opened_by(row)

    def fierce_call(self, letter: Row) -> Row | None:
        incident = next(group for group in self.incidents if letter in group)
        return next((row for row in incident if row["stream"] == "incident" and is_r6(row["facts"])), None)

    def letter_time(self, letter: Row) -> datetime:
        """A source of the call's R6 is never before the call."""
        call = self.fierce_call(letter) if opened_by(letter) == ["O2"] else None
        return max(letter["at"], call["at"]) if call else letter["at"]

    def often(self, row: Row) -> list[str]:
        """A3, S18: disturbances on the third different day within the window; days before its closing do not count again."""
        if row["stream"] != "conflict" or row["facts"].get("kind") != "disturbs_neighbours":
            return []
        closed = [c["until"] for c in self.concerns if c["rule"] == "O4" and c["until"] is not None]
        since = max(closed) if closed else None
        days = {
            day(other["at"])
            for other in self.rows
            if other["stream"] == "conflict"
            and other["facts"].get("kind") == "disturbs_neighbours"
            and other["at"] <= row["at"]
            and days_since(other["at"], row["at"]) <= self.numbers["often_window"]  # within 90 days: 以内 includes
            and (since is None or day(other["at"]) > day(since))
        }
        joins = any(c["rule"] == "O4" for c in self.open())
        return ["O4?"] if joins or len(days) >= self.numbers["often_days"] else []

    def open_event(self, rule: str, now: datetime, row: Row) -> None:
        rule = "R6" if rule == "O2" and self.fierce_call(row) else rule
        group = None
        if rule == "O1 dv":
            rule, group = "O1", "dv"
        if rule == "O5":
            group = self.report_of(row)
        later_step = rule == "R7" and self.is_later_step(row)
        self.open_one(rule, now, row, group)
        if (rule in VIOLENT or group == "dv") and not later_step:
            self.violence.append((now, group if rule == "O5" else None))
        elif row["stream"] == "incident" and row["facts"]["category"] == "domestic_violence":
            self.violence.append((now, None))

    def report_of(self, row: Row) -> str | None:
        """O5 under different reports stay apart; the report that exists, or the one this incident calls for."""
        incident = next(group for group in self.incidents if row in group)
        for keys in ({key(row)}, {key(mate) for mate in incident}):
            for report in reversed(self.reports):
                if report["causes"] & keys:
                    return str(report["no"])
        if any(mate["live"] and reports_of(mate) for mate in incident):
            return "/".join(min(key(mate) for mate in incident))
        return None

    def is_later_step(self, row: Row) -> bool:
        """S9: linked by number, or by the persons while an R7 of theirs is open: not if both name other victims (A6).

        A case that the police file is a first step, whoever is named: only a number makes it the same case.
        """
        is_filed = row["stream"] == "criminal_case"
        for concern in self.concerns:
            if concern["rule"] == "R7":
                for _, other in concern["rows"]:
                    if linked(row, other) or row["no"] in other["related"] or other["no"] in row["related"]:
                        return True
                    if concern["until"] is None and not is_filed and same_people(row, other):
                        return True
        return False

    def open_one(self, rule: str, now: datetime, row: Row | None, group: str | None = None) -> None:
        if rule not in ("T1", "Y4", "G1"):  # an observation that begins is a step down
            self.openings.append((now, colour(rule)))
        for concern in self.open():
            if concern["rule"] == rule and concern["group"] == group and rule not in STATES:
                concern["last"] = now
                concern["rows"].append((now, row))
                if rule == "G1":
                    concern["fresh"] = (
                        now  # S19: it opens with any unblocked resolution, so its year is the newest one's
                    )
                self.after_opening(rule, now, fresh=False)
                return
        new = {"rule": rule, "group": group, "since": now, "last": now, "rows": [(now, row)], "until": None, "by": None}
        if rule == "T1":
            new["set_back"] = day(now)
        if rule == "G1":
            new["fresh"] = now
        if rule in ("T1", "Y4"):  # S19: a T1 or Y4 opened later ends G1
            for concern in self.open():
                if concern["rule"] == "G1":
                    self.end(concern, now, "observation opened")
        self.concerns.append(new)
        self.after_opening(rule, now, fresh=True)

    def after_opening(self, rule: str, now: datetime, *, fresh: bool) -> None:
        for concern in self.open():
            if concern["rule"] == "T1" and rule[0] == "R":
                self.end(concern, now, "new red")
            if concern["rule"] == "T1" and rule[0] == "O":
                concern["set_back"] = day(now)  # S11
            if concern["rule"] == "G1" and rule != "G1" and fresh:
                concern["fresh"] = now  # a concern beside it opened

    def set_back_by_visit(self, now: datetime, row: Row) -> None:
        if is_visit(row) and row["facts"].get("finding") in ("tension", "violence"):
            if row["facts"]["finding"] == "violence":  # S9 names it for itself, whatever was answered about its O5
                self.violence.append((now, None))
            for concern in self.open():
                if concern["rule"] == "T1":
                    concern["set_back"] = day(now)

    # -- what closes ---------------------------------------------------------------------------------------------------

    def close(self, now: datetime, mine: Callable[[Row], bool]) -> None:
        """What records close in this instant, the older record first."""
        steps = [(row, step) for at, row, step in self.closings if at == now and mine(row)]
        steps += [(c["span"]["row"], c) for c in self.open() if c["rule"] in STATES and c["span"]["until"] == now]
        steps.sort(key=lambda step: (step[0]["at"], key(step[0])))
        if mine({"at": now - timedelta(seconds=1)}) and not self.silent(now):  # first what waited for a silent stream
            steps, self.waiting = [*self.waiting, *steps], []
        for row, step in steps:
            if isinstance(step, dict):
                if step["until"] is None:
                    self.end(step, now, "state", step["span"].get("closer"))
            elif step in ("resolved", "review") and self.silent(now):
                fails = not self.proved(now, row) if step == "review" else self.violence_open()
                if not fails:  # a review that fails is not replayed (S20), nor a resolution without effect (S19)
                    self.waiting.append((row, step))
            else:
                at = next(at for at, closing, how in self.closings if closing is row and how == step)
                {"resolved": self.resolve, "review": self.review, "answer": self.answer, "broken": self.reopen}[step](
                    now, at, row
                )

    def resolve(self, now: datetime, at: datetime, row: Row) -> None:
        if self.violence_open():
            return  # violence is not mediated away: without effect for good
        closed = []
        for concern in self.open():
            if concern["rule"] in ("O1", "O4", "Y3", "Y4") and is_later(at, row, concern):
                self.end(concern, now, "mediation resolved", row)
                closed.append(concern["rule"])
        self.effective[row["stream"], row["no"]] = closed
        self.newest = (now, row)
        self.open_one("G1", now, row)

    def violence_open(self) -> bool:
        return any(
            c["rule"][0] == "R" or c["rule"] in ("O2", "O3", "O5", "O6") or c["group"] == "dv" for c in self.open()
        )

    def reopen(self, now: datetime, at: datetime, row: Row) -> None:
        """Reopened or broken after G1: G1 closes, and what the conflict had opens again (Y3 at least)."""
        had = self.effective.pop((row["stream"], row["no"]), None)
        self.waiting = [w for w in self.waiting if w[0] is not row]
        if had is None:
            return
        if self.newest and self.newest[1] is row:
            self.newest = None
        for concern in self.open():
            if concern["rule"] == "G1":
                self.end(concern, now, "broken")
        for rule in sorted({*had, "Y3"}):
            self.open_one(rule, now, row)

    def answer(self, now: datetime, at: datetime, row: Row) -> None:
        """The police answer a report: its O5 closes; filed or security case open R8 at that moment. The newest rules."""
        number = row["facts"]["report_no"]
        if not any(report["no"] == number for report in self.reports):
            return
        self.answered.add(number)
        for concern in self.open():
            if concern["rule"] == "O5" and concern["group"] == number:
                self.end(concern, now, "answered", row)
        if row["facts"]["step"] in ("filed", "security_case"):
            self.open_one("R8", now, row)
            self.violence.append((now, number))
            return
        for concern in self.open():
            if concern["rule"] == "R8" and all(other["facts"]["report_no"] == number for _, other in concern["rows"]):
                self.end(concern, now, "a newer answer")
        self.violence = [(when, report) for when, report in self.violence if report != number]

    def review(self, now: datetime, at: datetime, row: Row) -> None:
        """Judged on what stood before the review: one step at a time (A7)."""
        steps = self.proved(at, row)
        for concern, _ in steps:
            self.end(concern, now, "review", row)
        if any(leads_to == "Y4" for _, leads_to in steps):
            self.open_one("Y4", now, row)

    def proved(self, at: datetime, row: Row) -> list[tuple[Concern, str]]:
        """Which open concerns a review of that day may close, and what they lead to."""
        facts, numbers = row["facts"], self.numbers
        if facts.get("decision") != "step_down" or len(set(facts.get("signed_by") or ())) < numbers["signers"]:
            return []
        violent = max((when for when, _ in self.violence), default=None)
        no_order = not any(c["rule"] == "R3" for c in self.open())
        steps: list[tuple[Concern, str]] = []
        for concern in self.open():
            rule, since = concern["rule"], violent or concern["since"]
            both = max(since, concern["last"])
            if rule[0] == "R" and rule != "R3":
                enough = days_since(since, at) >= numbers["review_red_days"]
                if enough and no_order and not self.overdue(concern, at) and self.visited(since, at):
                    steps.append((concern, "T1"))
            elif rule in ("O1", "O2", "O3", "O4") or (rule == "O5" and self.is_answered(concern)):
                enough = days_since(both, at) >= numbers["review_orange_days"]
                if enough and no_order and not self.overdue(concern, at) and self.visited(both, at):
                    steps.append((concern, "Y4"))
            elif rule in ("Y3", "Y4"):
                base = concern["last"] if rule == "Y3" else concern["since"]
                if days_since(base, at) >= numbers["review_yellow_days"] and self.visited(base, at, calm=True):
                    steps.append((concern, ""))
        return steps

    def is_answered(self, concern: Concern) -> bool:
        """O5 without report; or one that the police answered, before which its report holds it (S29)."""
        return concern["group"] is None or concern["group"] in self.answered

    def visited(self, since: datetime, until: datetime, *, calm: bool = False) -> bool:
        """A visit in person on a later day (since that day); *calm* asks for that finding."""
        for row in self.rows:
            if is_visit(row) and row["facts"].get("mode") in ("home", "appointment"):
                found = row["facts"].get("finding")
                if (
                    found != "not_reached"
                    and (found == "calm" or not calm)
                    and day(since) < day(row["at"])
                    and row["at"] <= until
                ):
                    return True
        return False

    def overdue(self, concern: Concern, at: datetime) -> list[str]:
        """S10: units of D2 (red) or D3 (orange) whose interval since the last reached visit is longer than allowed."""
        if self.count_red():
            passed = days_since(min(c["since"] for c in self.open() if c["rule"][0] == "R"), at)
            units, allowed = ("womens_federation", "community_grid"), 1 if passed <= 1 else 3 if passed < 4 else 7
        else:
            passed = days_since(min(c["since"] for c in self.open()), at)
            units, allowed = ("community_grid",), 3 if passed <= 3 else 14 if passed < 90 else 30
        late = []
        for unit in units:
            met = [
                row["at"] for row in self.rows
                if is_visit(row) and row["unit"] == unit and row["facts"].get("finding") != "not_reached" and row["at"] <= at
            ]  # fmt: skip
            if days_since(max(met, default=concern["since"]), at) > allowed:
                late.append(unit)
        return late

    def pass_time(self, now: datetime, *, same: bool) -> None:
        """``same``: also what records of this very instant bring; before what opens, only older ones count (S1)."""
        for concern in self.open():
            if concern["rule"] == "T1" and self.observed(concern, now, same) and not self.silent(now):
                self.end(concern, now, "observation complete")
                if self.newest is None or self.newest[0] <= concern["since"]:
                    self.open_one("Y4", now, None)
                elif not any(c["rule"] == "G1" for c in self.open()):  # it lapsed meanwhile
                    self.open_one("G1", now, None)
            elif concern["rule"] == "G1" and days_since(concern["fresh"], now) >= self.numbers["green_days"]:
                self.end(concern, now, "lapsed")

    def observed(self, t1: Concern, now: datetime, same: bool) -> bool:
        if days_since(t1["set_back"], now) < self.numbers["observation_days"]:
            return False
        calm: dict[date, bool] = {}
        for row in self.rows:
            if (
                is_calm_visit(row)
                and day(row["at"]) > t1["set_back"]
                and counts_at(row) <= now
                and (same or row["at"] < now)
            ):
                in_person = row["facts"].get("mode") in ("home", "appointment")
                calm[day(row["at"])] = calm.get(day(row["at"]), False) or in_person
        return len(calm) >= self.numbers["observation_visits"] and any(calm.values())

    def end(self, concern: Concern, now: datetime, by: str, row: Row | None = None) -> None:
        concern["until"], concern["by"], concern["closer"] = now, by, row
        if concern["rule"][0] == "R" and by != "a newer answer":  # that corrects the older one (S29): no T1 then
            self.red_ended = True

    # -- what stands ---------------------------------------------------------------------------------------------------

    def open(self) -> list[Concern]:
        return [concern for concern in self.concerns if concern["until"] is None]

    def count_red(self) -> int:
        return sum(concern["rule"][0] == "R" for concern in self.open())

    def level(self) -> int:
        return max((colour(concern["rule"]) for concern in self.open()), default=0)

    def light(self) -> str:
        return COLOURS[self.level()]

    def shown_light(self) -> str:
        """What people see: the light of the records, or what people decided."""
        return self.shown[-1][1] if self.shown else "unlit"

    def open_rules(self) -> list[str]:
        """Every open concern by rule, decisions too; G1 only where nothing of the records stands above it."""
        made = [c["rule"] for c in self.decided if c["until"] is None]
        return sorted(made + [c["rule"] for c in self.open() if c["rule"] != "G1" or self.light() == "green"])

    def silent(self, now: datetime) -> bool:
        """police.incident, or any stream with an event on this timeline, is overdue."""
        heard = {("police", "incident")} | {(row["unit"], row["stream"]) for row in self.rows if row["at"] <= now}
        return any(
            (s["unit"], s["stream"]) in heard and s["since"] <= now and (s["until"] is None or now < s["until"])
            for s in self.silences
        )


def same_people(row: Row, other: Row) -> bool:
    """Somebody in common, and the victim the same or unknown in one."""
    hurt = [victim(one) for one in (row, other)]
    if hurt[0] and hurt[1] and hurt[0]["person"] != hurt[1]["person"]:
        return False
    return any(one["person"] == two["person"] for one in row["people"] for two in other["people"])


def is_later(at: datetime, row: Row, concern: Concern) -> bool:
    """Later than the last event of the concern; what the same record opened in this instant it closes too (S1)."""
    return all(when < at or (when == at and other is row) for when, other in concern["rows"])


def lights(rows: list[Row], as_of: datetime, **more: Any) -> Walk:
    """The whole story of a household until a moment."""
    return Walk(rows, as_of, **more).run()
