"""Random steps in the life of one household: records of all ten units in every order, corrections, retractions, time.

``Life`` draws them from a seed and keeps every version that arrived; ``rows()`` are the current records for the
reference. Times stand on a coarse grid on purpose, so that things meet within one instant.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.reference.days import BEIJING, closes_at, opens_at
from tests.reference.incidents import reported
from tests.reference.people import Row

START = date(2025, 1, 1)
BORN = {
    1: date(1987, 7, 9), 2: date(1985, 3, 2), 3: date(2015, 5, 20), 4: date(1950, 2, 1), 5: date(1990, 1, 1), 6: None,
    7: date(2008, 2, 29),
}  # fmt: skip
CAPACITY = {5: "none"}
SITUATIONS = ("intimate_injury", "many_injuries", "abandoned", "missing_or_trafficked", "other_grave_harm")
RELATIONS = ("spouse", "spouse", "spouse", "cohabitant", "child", "former_spouse", "none", None)
Draw = random.Random


def person(role: str, number: int) -> Row:
    return {"role": role, "person": number, "born": BORN[number], "capacity": CAPACITY.get(number)}


def couple(draw: Draw, *, victim: bool = True) -> list[Row]:
    who = draw.choice((1, 1, 1, 3, 3, 4, 5, 6, 7)) if victim else 1
    return [person("victim", who), person("alleged", 2)]


def parties(draw: Draw) -> list[Row]:
    found = [person("party_a", 1), person("party_b", draw.choice((2, 2, 2, 3)))]
    return found + [person("victim", draw.choice((1, 3)))] * (draw.random() < 0.2)


def perhaps(draw: Draw, chance: float, *values: Any) -> Any:
    return draw.choice(values) if draw.random() < chance else None


def flag(draw: Draw) -> bool | None:
    return draw.choice((True, False, False, None))


def _incident(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "called_at": at, "category": draw.choice(("family_dispute",) * 4 + ("domestic_violence",) * 2 + ("neighbours", "other")),
        "intensity": draw.choice(("general", "general", "fierce", None)), "excessive_act": perhaps(draw, 0.1, True, False),
        "physical_conflict": perhaps(draw, 0.2, True, False), "injury": perhaps(draw, 0.3, "none", "none", "slight", "serious"),
        "weapon": perhaps(draw, 0.1, True, False), "relation": draw.choice(RELATIONS),
        "minor_present": perhaps(draw, 0.2, True, False),
    }  # fmt: skip


def _letter(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "issued_on": at, "kind": draw.choice(("domestic_violence", "domestic_violence", None, "sexual_harassment")),
        "violence": draw.choice(("general", "general", "serious", None, "suspected", "none")),
        "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _penalty(draw: Draw, at: Any, life: Life) -> Row:
    return {"decided_on": at, "domestic_violence": draw.choice((True, False, None)), "relation": draw.choice(RELATIONS)}


def _charge(draw: Draw) -> str | None:
    return draw.choice(("故意伤害", "虐待", "盗窃", "诈骗", None, "强奸"))


def _criminal_case(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "filed_on": at, "charge": _charge(draw), "within_family": draw.choice((True, None, False)),
        "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _order(draw: Draw, at: Any, life: Life) -> Row:
    result = draw.choice(
        ("pending", "issued", "issued", "issued", "denied", "withdrawn", "varied", "revoked", "extended")
    )
    decided = None if result == "pending" else life.after(at, 0, 5)
    facts = {"applied_on": at, "result": result, "decided_on": decided, "relation": "spouse"}
    if result in ("issued", "varied", "extended"):
        facts["valid_from"] = perhaps(draw, 0.3, life.after(at, 0, 8))
        facts["valid_until"] = perhaps(draw, 0.5, life.day_after(decided, 20, 200))
        if facts["valid_until"] is None and draw.random() < 0.4:
            facts |= {"valid_months": draw.choice((1, 3, None)), "valid_days": draw.choice((None, 10))}
    others = [key[2] for key in life.versions if key[1] == "protection_order"]
    if (others and result not in ("issued", "denied")) or (others and draw.random() < 0.2):
        facts["original_case_no"] = draw.choice(others)
    elif draw.random() < 0.05:
        facts["original_case_no"] = "nowhere"
    return facts


def _suit(draw: Draw, at: Any, life: Life) -> Row:
    stage = draw.choice(("filed", "mediation", "waiting", "closed", "closed"))
    facts = {"filed_on": at, "stage": stage, "violence_claimed": flag(draw)}
    if stage == "closed":
        results = ("divorce_by_judgment", "divorce_by_mediation", "reconciled", "reconciled", "refused", "withdrawn")
        facts |= {"closed_on": life.after(at, 0, 90), "result": draw.choice(results)}
    return facts


def _verdict(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("criminal", "civil", None))
    return {"decided_on": at, "kind": kind, "result": draw.choice(("convicted", "acquitted", "granted", "refused"))}


def _notice(draw: Draw, at: Any, life: Life) -> Row:
    return {"issued_on": at}


def _action(draw: Draw, at: Any, life: Life) -> Row:
    did = ("arrest_approved", "arrest_refused", "prosecuted", "not_prosecuted", "filing_supervised", "suit_urged")
    return {
        "at": at,
        "action": draw.choice(did),
        "charge": _charge(draw),
        "within_family": draw.choice((True, None, False)),
    }


def _mediation(draw: Draw, at: Any, life: Life) -> Row:
    status = draw.choice(("open", "resolved", "resolved", "resolved", "failed", "withdrawn"))
    return {
        "opened_on": at, "origin": draw.choice(("applied", "applied", "offered", "transferred", None)),
        "violence": draw.choice(("none", "none", None, None, "suspected", "general", "serious")),
        "sexual_assault_suspected": perhaps(draw, 0.1, True, False), "situation": perhaps(draw, 0.05, *SITUATIONS),
        "status": status, "closed_on": None if status == "open" else life.after(at, 0, 30),
    }  # fmt: skip


def _forensic(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at, "injury": draw.choice(("none", "slight", "minor", None))}


def _registration(draw: Draw, at: Any, life: Life) -> Row:
    status = draw.choice(("applied", "applied", "withdrawn", "registered", "deemed_withdrawn"))
    ended = None if status == "applied" else life.after(at, 1, 70)
    return {"received_on": at, "status": status, "status_on": ended}


def _shelter(draw: Draw, at: Any, life: Life) -> Row:
    return {"from": at, "until": perhaps(draw, 0.5, life.after(at, 1, 30))}


def _concern(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("suspected_dv", "sexual_assault", "neglect", "other"))
    return {"found_at": at, "kind": kind, "situation": perhaps(draw, 0.15, *SITUATIONS)}


def _treatment(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "at": at, "icd10": perhaps(draw, 0.3, "T74.1", "Y05", "Y06", "Y07.0", "S00.0", "F43.1"), "violence_suspected": flag(draw),
        "harm_suspected": perhaps(draw, 0.1, True, False), "situation": perhaps(draw, 0.1, *SITUATIONS),
        "injury": perhaps(draw, 0.4, "none", "slight", "minor"), "relation": draw.choice(RELATIONS),
    }  # fmt: skip


def _womens_complaint(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(
        ("general_conflict", "general_conflict", "domestic_violence", "divorce", "sexual_assault", "other")
    )
    return {
        "at": at, "kind": kind, "violence": draw.choice((None, None, "none", "suspected", "general")),
        "situation": perhaps(draw, 0.1, *SITUATIONS), "wants_order": perhaps(draw, 0.2, True, False),
        "needs_shelter": perhaps(draw, 0.2, True, False),
    }  # fmt: skip


def _youth_complaint(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("domestic_violence", "sexual_assault", "bullying", "other"))
    return {"at": at, "kind": kind, "situation": perhaps(draw, 0.1, *SITUATIONS)}


def _scale(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at, "score": draw.randrange(10), "lethal_items": draw.choice((0, 0, 0, 1, None))}


def _conflict(draw: Draw, at: Any, life: Life) -> Row:
    kind = draw.choice(("general_conflict", "disturbs_neighbours", "disturbs_neighbours", "suspected_violence"))
    return {
        "at": at,
        "kind": kind,
        "frequent": perhaps(draw, 0.2, True, False),
        "situation": perhaps(draw, 0.05, *SITUATIONS),
    }


def _visit(draw: Draw, at: Any, life: Life) -> Row:
    return {
        "at": at, "mode": draw.choice(("home", "home", "phone", "wechat", "appointment")),
        "finding": draw.choice(("calm", "calm", "calm", "calm", "tension", "violence", "not_reached")),
    }  # fmt: skip


def _review(draw: Draw, at: Any, life: Life) -> Row:
    signed = draw.choice((["police", "womens_federation"], ["police", "court"], ["police"], []))
    return {"at": at, "decision": draw.choice(("step_down", "step_down", "step_down", "keep")), "signed_by": signed}


def _aid(draw: Draw, at: Any, life: Life) -> Row:
    return {"at": at}


Maker = Callable[[Draw, Any, "Life"], Row]
# unit, stream, kind of the hub, facts, who is on it, how often
STREAMS: tuple[tuple[str, str, str, Maker, str, int], ...] = (
    ("police", "incident", "police_call", _incident, "parties", 8),
    ("police", "admonition", "admonition_issued", _letter, "couple", 3),
    ("police", "penalty", "security_penalty", _penalty, "couple", 2),
    ("police", "criminal_case", "criminal_case_filed", _criminal_case, "couple", 1),
    ("police", "check_visit", "visit_recorded", _visit, "parties", 2),
    ("court", "protection_order", "protection_order", _order, "wife", 4),
    ("court", "divorce_suit", "divorce_suit", _suit, "pair", 2),
    ("court", "violence_case", "violence_case_decided", _verdict, "couple", 1),
    ("procuratorate", "notice", "procuratorial_notice", _notice, "couple", 1),
    ("procuratorate", "action", "procuratorial_action", _action, "couple", 2),
    ("justice", "mediation", "mediation", _mediation, "parties", 7),
    ("justice", "forensic", "forensic_result", _forensic, "alone", 2),
    ("justice", "legal_aid", "service_given", _aid, "alone", 1),
    ("civil_affairs", "divorce_registration", "divorce_registration", _registration, "pair", 3),
    ("civil_affairs", "shelter", "shelter", _shelter, "alone", 1),
    ("civil_affairs", "concern", "concern_found", _concern, "alone", 1),
    ("education", "concern", "concern_found", _concern, "child", 2),
    ("education", "visit", "visit_recorded", _visit, "parties", 1),
    ("health", "treatment", "treatment_recorded", _treatment, "couple", 3),
    ("womens_federation", "complaint", "complaint_received", _womens_complaint, "couple", 4),
    ("womens_federation", "visit", "visit_recorded", _visit, "parties", 6),
    ("womens_federation", "danger_scale", "danger_assessed", _scale, "couple", 1),
    ("womens_federation", "review", "review_concluded", _review, "pair", 5),
    ("youth_league", "complaint", "complaint_received", _youth_complaint, "child", 1),
    ("youth_league", "intervention", "visit_recorded", _visit, "parties", 1),
    ("community_grid", "conflict", "conflict_found", _conflict, "parties", 6),
    ("community_grid", "mediation", "mediation", _mediation, "parties", 3),
    ("community_grid", "visit", "visit_recorded", _visit, "parties", 6),
)  # fmt: skip
WEIGHTS = [stream[5] for stream in STREAMS]
KIND = {(unit, stream): kind for unit, stream, kind, *_ in STREAMS} | {("police", "report_feedback"): "report_feedback"}
TIME_OF = {
    "incident": ("occurred_at", "called_at"), "admonition": ("issued_on",), "penalty": ("decided_on",),
    "criminal_case": ("filed_on",), "protection_order": ("applied_on", "accepted_at", "decided_on", "valid_from"),
    "divorce_suit": ("filed_on",), "violence_case": ("decided_on",), "notice": ("issued_on",), "mediation": ("opened_on",),
    "divorce_registration": ("received_on",), "shelter": ("from",), "concern": ("found_at",),
}  # fmt: skip


class Life:
    """One household, its versions as they arrived, and where the clock stands."""

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.now = datetime.combine(START + timedelta(days=self.draw.randrange(300)), time(12), BEIJING)
        self.versions: dict[tuple[str, str, str], list[Row]] = {}  # in order of arrival
        self.silences: list[Row] = []
        self.reports: list[Row] = []  # history: a report that exists stays
        self.weights = [weight * self.draw.choice((0, 0, 1, 1, 4)) or 0.1 for weight in WEIGHTS]
        self.told: list[str] = []  # what happened, for whoever reads a failure
        self.count = 0

    # -- steps ---------------------------------------------------------------------------------------------------------

    def step(self) -> str:
        """One random step, named."""
        roll, draw = self.draw.random(), self.draw
        if roll < 0.34 or not self.versions:
            done = self.arrive(self.a_time())
        elif roll < 0.37:
            done = self.resolve()
        elif roll < 0.39 and self.reports:
            done = self.answer()
        elif roll < 0.42:
            done = self.agree()
        elif roll < 0.46:
            done = self.quiet()
        elif roll < 0.60:
            self.now += timedelta(
                days=draw.choice((0, 1, 2, 7, 30, 30, 89, 90, 91, 180, 365)), hours=draw.choice((0, 0, 5))
            )
            done = f"time {self.now:%Y-%m-%d %H:%M}"
        elif roll < 0.70:
            done = self.visits()
        elif roll < 0.82:
            done = self.correct()
        elif roll < 0.88:
            done = self.retract()
        elif roll < 0.93:
            key = draw.choice(list(self.versions))
            done = f"duplicate {key}"
            self.versions[key].append(draw.choice(self.versions[key]))
        else:
            done = self.silence()
        self.told.append(done)
        self.reports = reported(self.rows(), self.reports)
        return done

    def a_time(self) -> date | datetime:
        """Mostly now; one in five late by up to 200 days; a day in every second, else an hour of the coarse grid."""
        draw = self.draw
        then = self.now - timedelta(days=draw.randrange(200) if draw.random() < 0.2 else draw.randrange(4))
        return self.at_grid(then.date())

    def at_grid(self, that: date) -> date | datetime:
        hour = self.draw.choice((None, None, None, 0, 9, 20))
        found = that if hour is None else datetime.combine(that, time(hour), BEIJING)
        return found if opens_at(found) <= self.now else that

    def after(self, at: date | datetime, least: int, most: int) -> date | datetime:
        """A later time, at the earliest so many days on: a day, or an instant of the grid not before ``at``."""
        that = opens_at(at).date() + timedelta(days=self.draw.randint(least, most))
        hour = self.draw.choice((None, None, 0, 9, 20, 21))
        found = that if hour is None else datetime.combine(that, time(hour), BEIJING)
        return found if closes_at(found) >= opens_at(at) else that

    def day_after(self, at: date | datetime, least: int, most: int) -> date:
        return opens_at(at).date() + timedelta(days=self.draw.randint(least, most))

    def put(self, unit: str, stream: str, facts: Row, people: list[Row]) -> str:
        """A record of known facts, now."""
        self.count += 1
        row = {"unit": unit, "stream": stream, "no": f"N{self.count}", "facts": facts, "people": people, "related": [],
               "deleted": False, "live": True}  # fmt: skip
        return self.land(row, self.now)

    def resolve(self) -> str:
        """A mediation without violence that succeeds."""
        opened = self.at_grid((self.now - timedelta(days=self.draw.choice((0, 3, 20)))).date())
        facts = {
            "opened_on": opened, "origin": self.draw.choice(("applied", "transferred")), "violence": "none",
            "status": "resolved", "closed_on": self.at_grid(self.now.date()),
        }  # fmt: skip
        return self.put("justice", "mediation", facts, self.people("pair"))

    def agree(self) -> str:
        """A review that two units sign."""
        facts = {
            "at": self.at_grid(self.now.date()),
            "decision": "step_down",
            "signed_by": ["police", "womens_federation"],
        }
        return self.put("womens_federation", "review", facts, self.people("pair"))

    def quiet(self) -> str:
        """A calm spell that just suffices for a step down, or just not; perhaps a review at its end."""
        draw = self.draw
        self.now += timedelta(days=draw.choice((89, 90, 91, 179, 180, 181)))
        for ago in draw.choice(((3,), (1, 8, 40), (2, 7, 20, 60), (31,))):
            for unit in ("womens_federation", "community_grid")[draw.randrange(2) :]:
                facts = {
                    "at": self.at_grid((self.now - timedelta(days=ago)).date()),
                    "mode": draw.choice(("home", "phone")),
                }
                self.put(unit, "visit", {**facts, "finding": "calm"}, self.people("pair"))
        return f"quiet until {self.now:%Y-%m-%d}, " + (self.agree() if draw.random() < 0.7 else "no review")

    def answer(self) -> str:
        """The police answer a report."""
        numbers = [report["no"] for report in self.reports]
        steps = (
            "received",
            "accepted",
            "filed",
            "security_case",
            "not_substantiated",
            "not_substantiated",
            "transferred",
        )
        facts = {
            "report_no": self.draw.choice(numbers),
            "step": self.draw.choice(steps),
            "at": self.at_grid(self.now.date()),
        }
        return self.put("police", "report_feedback", facts, [])

    def arrive(self, at: date | datetime) -> str:
        unit, stream, _, make, who, _ = self.draw.choices(STREAMS, self.weights)[0]
        self.count += 1
        facts = make(self.draw, at, self)
        row = {
            "unit": unit, "stream": stream, "no": f"N{self.count}", "facts": facts, "people": self.people(who),
            "related": self.links(stream, at), "deleted": False, "live": self.draw.random() < 0.9,
        }  # fmt: skip
        return self.land(row, opens_at(at) + timedelta(hours=self.draw.choice((0, 1, 30))))

    def land(self, row: Row, updated: datetime) -> str:
        names = TIME_OF.get(row["stream"], ("at",))
        at = next((row["facts"][name] for name in names if row["facts"].get(name)), updated)
        row = {**row, "at": opens_at(at), "updated": updated, "received": self.now}
        self.versions.setdefault((row["unit"], row["stream"], row["no"]), []).append(row)
        told = " ".join(f"{name}={value}" for name, value in row["facts"].items() if value is not None)
        return f"{row['unit']}.{row['stream']} {row['no']} {told} {row['related'] or ''}".strip()

    def people(self, who: str) -> list[Row]:
        draw = self.draw
        return {
            "parties": lambda: parties(draw), "couple": lambda: couple(draw), "alone": lambda: couple(draw)[:1],
            "wife": lambda: couple(draw, victim=False), "child": lambda: [person("victim", draw.choice((3, 3, 7, 4)))],
            "pair": lambda: [person("party_a", 1), person("party_b", 2)],
        }[who]()  # fmt: skip

    def links(self, stream: str, at: date | datetime) -> list[str]:
        calls = [
            key[2]
            for key, versions in self.versions.items()
            if key[1] in ("incident", "criminal_case") and versions[0]["at"].date() <= opens_at(at).date()
        ]
        if calls and stream in ("admonition", "penalty", "forensic", "action") and self.draw.random() < 0.7:
            return [self.draw.choice(calls)]
        if self.versions and stream in ("mediation", "complaint", "concern", "treatment", "conflict", "incident"):
            return [self.draw.choice(list(self.versions))[2]] * (self.draw.random() < 0.15)
        return []

    def visits(self) -> str:
        """Weekly visits of one unit or two, up to now or past it."""
        draw = self.draw
        that = (self.now - timedelta(days=draw.choice((0, 20, 60, 90)))).date()
        for _ in range(draw.randint(2, 5)):
            for unit in draw.choice(
                (("womens_federation", "community_grid"), ("community_grid",), ("womens_federation",))
            ):
                self.count += 1
                facts = {"at": self.at_grid(that), "mode": draw.choice(("home", "phone")), "finding": "calm"}
                row = {
                    "unit": unit, "stream": "visit", "no": f"N{self.count}", "facts": facts, "related": [],
                    "people": [person("party_a", 1), person("party_b", 2)], "deleted": False, "live": True,
                }  # fmt: skip
                self.land(row, opens_at(facts["at"]))
            that += timedelta(days=draw.choice((6, 7, 14, 30)))
        return f"visits until {that}"

    def correct(self) -> str:
        """A newer version with other facts, sometimes one that is older than what is known (out of order)."""
        key = self.draw.choice(list(self.versions))
        last = max(self.versions[key], key=lambda row: row["updated"])
        make = next((s[3] for s in STREAMS if s[:2] == key[:2]), None)
        if make is None:
            return "nothing to correct"
        times = TIME_OF.get(key[1], ("at",))
        at = next((last["facts"][name] for name in times if last["facts"].get(name)), opens_at(last["at"]))
        facts = make(self.draw, at, self)
        if key[1] == "mediation" and self.draw.random() < 0.6:
            status = self.draw.choice(("broken", "open", "resolved"))
            facts = {**last["facts"], "status": status}
            facts["closed_on"] = perhaps(self.draw, 0.6, self.after(last["facts"].get("closed_on") or at, 0, 20))
        if key[1] == "protection_order" and self.draw.random() < 0.6:
            facts = {**last["facts"], "result": self.draw.choice(("issued", "revoked", "denied", "withdrawn"))}
            facts["decided_on"] = self.after(last["facts"].get("decided_on") or at, 0, 40)
            if self.draw.random() < 0.3:
                facts["applied_on"] = None  # a court that sends the new state only: the path keeps its dates (S4)
        moved = timedelta(hours=self.draw.choice((1, 24, 240, -1, -5)))
        row = {**last, "facts": facts, "deleted": False}
        return "correction " + self.land(row, last["updated"] + moved)

    def retract(self) -> str:
        key = self.draw.choice(list(self.versions))
        last = max(self.versions[key], key=lambda row: row["updated"])
        self.versions[key].append({**last, "deleted": True, "updated": last["updated"] + timedelta(hours=2)})
        return f"retraction of {key}"

    def silence(self) -> str:
        draw = self.draw
        if self.silences and self.silences[-1]["until"] is None:
            self.silences[-1]["until"] = self.now
            return f"heard again {self.now:%Y-%m-%d}"
        unit, stream = draw.choice((("police", "incident"), ("justice", "mediation"), ("community_grid", "visit")))
        since = self.now - timedelta(days=draw.randrange(40))
        if self.silences and self.silences[-1]["until"] > since:
            since = self.now
        self.silences.append({"unit": unit, "stream": stream, "since": since, "until": None})
        return f"silence of {unit}.{stream} since {since:%Y-%m-%d %H:%M}"

    # -- what is true now ----------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """The newest version of each key (a retraction wins a tie, then the later arrival), with the path before it."""
        found = []
        for versions in self.versions.values():
            by_time: dict[datetime, Row] = {}
            for row in versions:
                standing = by_time.get(row["updated"])
                if standing is None or row["deleted"] or not standing["deleted"]:
                    by_time[row["updated"]] = row
            path = [by_time[when] for when in sorted(by_time)]
            if not path[-1]["deleted"]:
                found.append({**path[-1], "path": [row for row in path[:-1] if not row["deleted"]]})
        return found
