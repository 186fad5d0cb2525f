"""Random steps in the life of one household: records of all ten units in every order, corrections, retractions, time.

``Life`` draws them from a seed and keeps every version that arrived; ``rows()`` are the current records for the
reference. Times stand on a coarse grid on purpose, so that things meet within one instant.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from tests.reference.days import BEIJING, closes_at, opens_at
from tests.reference.incidents import Key, reported
from tests.reference.makers import STREAMS, TIME_OF, WEIGHTS, Draw, couple, parties, perhaps, person
from tests.reference.people import Row

START = date(2025, 1, 1)
EDITIONS = (
    {"review_red_days": 120, "review_orange_days": 60}, {"review_red_days": 240, "review_yellow_days": 150},
    {"observation_days": 60, "observation_visits": 2}, {"observation_days": 150}, {"observation_visits": 4},
    {"green_days": 180}, {"green_days": 500, "signers": 3}, {"often_days": 2}, {"often_days": 4, "often_window": 180},
)  # fmt: skip
"""Numbers that another edition of the policy may change."""


class Life:
    """One household, its versions as they arrived, and where the clock stands."""

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.now = datetime.combine(START + timedelta(days=self.draw.randrange(300)), time(12), BEIJING)
        self.versions: dict[Key, list[Row]] = {}  # in order of arrival
        self.silences: list[Row] = []
        self.reports: list[Row] = []  # history: a report that exists stays
        self.weights = [weight * self.draw.choice((0, 0, 1, 1, 4)) or 0.1 for weight in WEIGHTS]
        self.told: list[str] = []  # what happened, for whoever reads a failure
        self.count = 0
        self.edition = self.an_edition()

    def an_edition(self) -> Row | None:
        """In one life of three the policy changes on some day."""
        if self.draw.random() < 0.67:
            return None
        return {
            "from": self.now.date() + timedelta(days=self.draw.randrange(400)),
            "numbers": self.draw.choice(EDITIONS),
        }

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
        elif roll < 0.965:
            done = self.silence()
        elif roll < 0.983:
            done = self.override()
        elif roll < 0.993 or not self.objections():
            done = self.object()
        else:
            done = self.answer_objection()
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

    def override(self) -> str:
        """Somebody holds the light up or down, or lets go; at a minute at which nothing else happens."""
        draw = self.draw
        end = self.now + timedelta(days=draw.choice((0, 1, 30, 90, 200)))
        by, unit = draw.choice((("W1", "police"), ("W2", "womens_federation"), ("W3", "womens_federation"), ("W4", "")))
        facts = {
            "light": draw.choice(("red", "orange", "yellow", "yellow", "green", "green", "unlit", None)),
            "at": self.now - timedelta(minutes=50 - self.count % 40), "by": by, "unit": unit,
            "until": draw.choice((end.date(), end.date(), end, None)),
        }  # fmt: skip
        return self.put("station", "override", facts, [])

    def objections(self) -> list[str]:
        return [no for _, stream, no in self.versions if stream == "objection"]

    def object(self) -> str:
        """The family objects to the light, to a record, or to what somebody decided."""
        draw = self.draw
        unit, stream, no = draw.choice(list(self.versions)) if self.versions else ("", "", "")
        about = draw.choice(("light", no if stream == "override" else f"{unit}.{stream}/{no}"))
        facts = {"at": self.at_grid(self.now.date()), "about": about, "of_unit": unit or None, "by": "W1"}
        return self.put("station", "objection", facts, [])

    def answer_objection(self) -> str:
        """Somebody answers: refused, or upheld, and then the unit mostly corrects the record or takes it back."""
        draw = self.draw
        no = draw.choice(self.objections())
        decision = draw.choice(("upheld", "upheld", "partly", "refused"))
        about = str(self.versions["station", "objection", no][-1]["facts"]["about"])
        key = next((k for k in self.versions if about in (k[2], f"{k[0]}.{k[1]}/{k[2]}")), None)
        facts = {
            "objection_no": no if draw.random() < 0.9 else "nowhere", "at": self.at_grid(self.now.date()),
            "decision": decision, "by": "W2", "unit": "womens_federation",
        }  # fmt: skip
        done = self.put("station", "objection_answer", facts, [])
        if key is not None and decision != "refused" and draw.random() < 0.8:
            done += ", " + draw.choice((self.correct, self.retract))(key)
        return done

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

    def correct(self, key: Key | None = None) -> str:
        """A newer version with other facts, sometimes one that is older than what is known (out of order)."""
        key = key or self.draw.choice(list(self.versions))
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

    def retract(self, key: Key | None = None) -> str:
        key = key or self.draw.choice(list(self.versions))
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
            if path[-1]["deleted"]:
                continue
            wrong = [n for n, row in enumerate(path) if row["deleted"]]
            path = path[wrong[-1] + 1 :] if wrong else path  # what was retracted told nothing
            asked = (
                [row["at"] for row in path if row["facts"].get("applied_on")]
                if path[-1]["stream"] == "protection_order"
                else []
            )
            found.append({**path[-1], "at": asked[-1] if asked else path[-1]["at"], "path": path[:-1]})
        return found
