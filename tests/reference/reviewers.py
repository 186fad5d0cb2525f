"""A district in which persons are doubtful and reviewers rule on them: the real line, and the reference beside it.

Each home of the register has couples beside it whom no register knows, and records of people of whom nothing certain is
known. Reviewers merge persons and households, split a record off, answer the review list, take rulings back; families
object. After each round every record must stand on the household that the reference says, with its light, its open
concerns and its open duties.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.core.acts import ActError, Actor
from hub.core.records import Person
from hub.read import identity
from hub.store.times import from_us
from tests.line.line_kit import Line
from tests.reference.incidents import Key, key, reported
from tests.reference.lights import COLOURS, Walk
from tests.reference.lights import lights as walk
from tests.reference.makers import BORN
from tests.reference.meant import Label, Meant, Ruling, spot
from tests.reference.opens import is_ours
from tests.reference.owed import COVERED, owed
from tests.reference.people import Row, within_family
from tests.reference.store_side import Resident, land, name, raw, register, table, told

EVERYTHING = {
    "places": "SELECT e.record_id, e.household_id, e.why FROM event_place e ORDER BY 1, 2",
    "persons": "SELECT record_id, idx, person_id FROM party ORDER BY 1, 2",
    "members": "SELECT household_id, person_id, role, born, capacity, since, until FROM membership ORDER BY 1, 2",
    "households": "SELECT id, registered, provisional, light, since, assessment FROM household"
    " WHERE successor_id IS NULL AND id IN (SELECT household_id FROM event_place) ORDER BY 1",
}  # fmt: skip
REVIEWER = "W1"
UNIT = "womens_federation"


class Couple(Resident):
    """Two people in no register, known by name and telephone; some of their records tell nothing certain of them."""

    def __init__(self, home: int, group: int, now: datetime) -> None:
        super().__init__(home, now)
        self.draw.seed(home * 100 + group)
        self.prefix, self.family = f"H{home}G{group}", (home, group)

    def at_home(self, row: Row) -> Row:
        row = super().at_home(row)
        people = [
            {**p, "person": number, "born": BORN[number]} for p in row["people"]
            for number in [p["person"] if p["person"] < 3 else 2 if p["role"] == "party_b" else 1]
        ]  # fmt: skip
        facts = {**row["facts"], "relation": "spouse"}
        facts.pop("original_case_no", None)
        if "lone" not in row:
            row["lone"] = self.draw.random() < 0.3
        return as_named({**row, "facts": facts, "people": people, "related": [], "family": self.family})


class Registered(Resident):
    """The family of a registered home."""

    def at_home(self, row: Row) -> Row:
        row = super().at_home(row)  # who lives with whom is said, and not left to a guess
        facts = {**row["facts"], "relation": row["facts"].get("relation") or "spouse"}
        return as_named({**row, "facts": facts, "lone": False, "family": (self.home, 0)})


def as_named(row: Row) -> Row:
    """Who asks for legal aid is its subject; whom a stream has no columns for is not named, and nobody twice."""
    roles = {to.partition(":")[2].partition(".")[0] for _, to, _ in table(row["unit"], row["stream"]).fields}
    subject = {"role": "subject"} if row["stream"] == "legal_aid" else {}
    people = [{**who, **subject} for who in row["people"] if who["role"] in roles or subject]
    named = {who["role"] for who in people}
    return {**row, "people": [who for who in people if who["role"] != "victim" or "party_a" not in named]}


def is_kept(row: Row) -> bool:
    """Also what opens no light; not what happened outside the family (section 2)."""
    return within_family(row) is not False if row["stream"] in ("criminal_case", "action") else is_ours(row)


def phone(home: int, group: int, person: int) -> str:
    return f"139{home:04d}{group:02d}{person:02d}"


def as_sent(row: Row, home: int) -> dict[str, Any]:
    """A row as its department sends it: who is in no register without ID number, who is unknown by a name of the moment."""
    home, group = row["family"]
    if group == 0:
        return raw(row, home)
    number = int("".join(c for c in row["no"].partition("N")[2] if c.isdigit())) if row["lone"] else 0
    family = 2 * (200 + (home * 10 + group) * 80 + number)
    return told(row, [
        Person(p["role"], name=name(family, p["person"]), born=BORN[p["person"]], phone=phone(home, group, p["person"]))
        for p in row["people"]
    ])  # fmt: skip


class District:
    """Homes and couples, what reviewers said, and the line."""

    def __init__(self, line: Line, homes: int, groups: int, seed: int) -> None:
        self.line, self.draw = line, random.Random(seed)
        self.homes = range(homes)
        self.lives: list[Registered | Couple] = [Registered(home, line.now) for home in self.homes]
        self.lives += [Couple(home, group, line.now) for home in self.homes for group in range(1, groups + 1)]
        for life in self.lives:
            life.draw.seed(f"{seed}/{life.prefix}")
        self.rulings: list[Ruling] = []
        self.objections: list[Row] = []  # of registered homes; answers too
        self.heard: dict[Key, int] = {}
        self.reports: list[Row] = []
        self.told: list[str] = []
        self.not_exact: list[str] = []
        self.counts: dict[str, int] = {}
        line.land("community_grid", "household", *register(self.homes, line.now), mode="backfill")
        line.drain()

    # -- rounds --------------------------------------------------------------------------------------------------------

    def pass_time(self, days: int, hours: int) -> None:
        self.line.now += timedelta(days=days, hours=hours)

    def records(self, share: float = 1.0) -> int:
        """Lives have a step each; everything lands in a random order and is applied."""
        arrived = []
        for life in self.lives:
            life.now = self.line.now
            if self.draw.random() < share:
                arrived += [(life.home, row) for row in life.happen()]
        self.draw.shuffle(arrived)
        arrived.sort(key=lambda a: (a[1]["unit"], a[1]["stream"], a[1]["live"]))
        for _, row in arrived:
            self.heard.setdefault(key(row), len(self.heard))
        land(self.line, arrived, as_sent)
        self.line.drain()
        return len(arrived)

    def rows(self) -> list[Row]:
        """The current records, in the order in which they were first heard of."""
        found = [row for life in self.lives for row in life.rows() if is_kept(row)]
        return sorted(found, key=lambda row: self.heard[key(row)])

    def meant(self, *more: Ruling, but: str = "") -> Meant:
        return Meant(self.rows(), [one for one in [*self.rulings, *more] if one.no != but])

    def is_clear(self, *more: Ruling, but: str = "") -> bool:
        """Whether it would also be clear once a record names every couple together."""
        couples = [
            {
                "unit": "", "stream": "", "no": f"{life.home}/{life.family[1]}", "family": life.family, "lone": False,
                "people": [{"role": "party_a", "person": 1}, {"role": "party_b", "person": 2}],
            }
            for life in self.lives if isinstance(life, Couple)
        ]  # fmt: skip
        return Meant([*self.rows(), *couples], [o for o in [*self.rulings, *more] if o.no != but]).is_clear()

    # -- what reviewers say --------------------------------------------------------------------------------------------

    def ruling(self) -> str:
        """One thing that a reviewer, or a family, does now."""
        act = self.draw.choice(
            (self.merge, self.merge, self.merge_homes, self.split, self.accept, self.reject, self.undo, self.undo,
             self.object, self.there_and_back)
        )  # fmt: skip
        done = act()
        if done:
            self.told.append(f"{self.line.now:%Y-%m-%d %H:%M} {done}")
            self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
        return done

    def merge(self) -> str:
        """Two persons are one; of two with ID numbers they never are."""
        meant = self.meant()
        which = self.draw.choice((1, 1, 2, 2, 3))  # a woman is not taken for a man, nor a child for its mother
        a, b = self._two({meant.person(r, who) for r in meant.rows for who in r["people"] if who["person"] == which})
        if not a:
            return ""
        labels = meant.name_of_person(a), meant.name_of_person(b)
        if labels[0][0] == labels[1][0] == "number":
            return self._refused("identity.numbers", "merge", self._person(meant, a), self._person(meant, b))
        return self._rule("same", *labels, lambda sql, who: identity.merge(
            sql, who, "电话核实", self._person(meant, a), self._person(meant, b)))  # fmt: skip

    def merge_homes(self) -> str:
        """Two households are one; of two in the register they never are."""
        meant = self.meant()
        a, b = self._two({meant.household(row) for row in meant.rows})
        if not a:
            return ""
        names = self._home(meant, a), self._home(meant, b)
        if meant.registered(a) is not None and meant.registered(b) is not None:
            return self._refused("identity.registered", "merge", *names)
        return self._rule("home", meant.name_of_household(a), meant.name_of_household(b), lambda sql, who: identity.merge(
            sql, who, "走访核实", *names))  # fmt: skip

    def split(self) -> str:
        """The person of a row is not the one they were taken for."""
        rows = self.rows()
        named = {no for row in rows for no in row["related"]}
        rows = [row for row in rows if not row["related"] and row["no"] not in named]  # numbers would bring it back
        if not rows:
            return ""
        row = self.draw.choice(rows)
        who = self.draw.choice(row["people"])
        position = self._position(row, who["role"])
        return self._rule("alone", spot(row, who), (), lambda sql, by: identity.split(
            sql, by, "借用证件", identity.key_of(f"{row['unit']}.{row['stream']}/{row['no']}"), position))  # fmt: skip

    def accept(self) -> str:
        """A candidate of the review list is the one."""
        asked = self._asked()
        if asked is None:
            return ""
        item, candidate, where, label = asked
        return self._rule("is", where, label, lambda sql, who: identity.accept(
            sql, who, "电话核实", item, candidate))  # fmt: skip

    def reject(self) -> str:
        """A candidate of the review list is not the one."""
        asked = self._asked()
        if asked is None:
            return ""
        item, candidate, where, label = asked
        return self._rule("apart", where, label, lambda sql, who: identity.reject(
            sql, who, "电话核实", item, candidate))  # fmt: skip

    def undo(self) -> str:
        """A ruling is taken back, unless a later one rests on what it made."""
        if not self.rulings:
            return self._refused_undo()
        n = self.draw.randrange(len(self.rulings))
        one = self.rulings[n]
        if self._rests_on(one, self.rulings[n + 1 :]) or not self.is_clear(but=one.no):
            return ""
        with self.line.store.read() as sql:
            rows = identity.undo(sql, one.no)
        self.line.act("identity", *rows)
        self.rulings.remove(one)
        return f"{one.no} {one.what} is taken back"

    def there_and_back(self) -> str:
        """A ruling that is taken back at once leaves nothing behind: not a number, not a light."""
        before = self._everything()
        done = self.draw.choice((self.merge, self.merge_homes, self.split, self.accept))()
        if not done:
            return ""
        one = self.rulings.pop()
        with self.line.store.read() as sql:
            rows = identity.undo(sql, one.no)
        self.line.act("identity", *rows)
        for what, after in self._everything().items():
            gone, more = set(before[what]) - set(after), set(after) - set(before[what])
            if gone or more:
                self.not_exact.append(f"{what} after {done} and back: gone {sorted(gone)}, more {sorted(more)}")
        return f"{done} and back"

    def _everything(self) -> dict[str, list[Any]]:
        return {name: self.line.rows(query) for name, query in EVERYTHING.items()}

    def _rests_on(self, one: Ruling, later: list[Ruling]) -> bool:
        """A later word about the same persons or households: whom it names would not be told from what the hub kept."""
        meant = self.meant()
        if one.what in ("is", "alone") and any(
            one.a in (o.a, o.b) or meant.detached.get(one.a) in (o.a, o.b) for o in later
        ):
            return True
        mine = self._stands_for(meant, one)
        return any(mine & self._stands_for(meant, other) for other in later)

    def _stands_for(self, meant: Meant, one: Ruling) -> set[Label]:
        """The households that a ruling speaks about, as roots."""
        if one.what in ("same", "home"):
            return {meant.homes.root(meant.node(label)) for label in (one.a, one.b)}
        found = {meant.household(row) for row in meant.rows if key(row) == one.a[0]}
        if one.what == "alone":
            row = next((row for row in meant.rows if key(row) == one.a[0]), None)
            if row is not None:
                plain = Meant(meant.rows, [o for o in self.rulings if o.no != one.no])
                found |= {meant.homes.root(plain.person(row, who)) for who in row["people"]}
                found |= {meant.homes.root(label) for who in row["people"] for label in [plain.label(row, who)]}
        return found | ({meant.homes.root(meant.node(one.b))} if one.b else set())

    # -- what families say ---------------------------------------------------------------------------------------------

    def object(self) -> str:
        """A family of the register objects to its light, or an objection of it is answered."""
        home = self.draw.choice(self.homes)
        ((uid,),) = self.line.rows("SELECT uid FROM household WHERE registered = ?", f"HH{home}")
        mine = [row["no"] for row in self.objections if row["home"] == home and row["stream"] == "objection"]
        at, no = self.line.now, f"OB{len(self.objections)}"
        facts: Row = {"at": at}
        if mine and self.draw.random() < 0.5:
            facts["objection_no"] = self.draw.choice(mine)
            self.line.act("objection_answer", {
                "no": no, "household": uid, "at": at.isoformat(), "objection_no": facts["objection_no"],
                "decision": "upheld", "by": REVIEWER, "unit": UNIT,
            })  # fmt: skip
        else:
            self.line.act(
                "objection",
                {
                    "no": no,
                    "household": uid,
                    "at": at.isoformat(),
                    "about": "light",
                    "by": REVIEWER,
                    "statement": "不属实",
                },
            )
        self.objections.append({
            "unit": "station", "stream": "objection_answer" if "objection_no" in facts else "objection", "no": no,
            "home": home, "at": at, "facts": facts, "people": [], "related": [], "path": [], "live": True, "updated": at,
            "received": at, "deleted": False,
        })  # fmt: skip
        return f"home {home}: {self.objections[-1]['stream']}"

    # -- how it is said to the hub -------------------------------------------------------------------------------------

    def _two(self, roots: set[Label]) -> tuple[Label, Label]:
        found = sorted(roots, key=repr)
        if len(found) < 2:
            return (), ()
        a, b = self.draw.sample(found, 2)
        return a, b

    def _actor(self) -> Actor:
        return Actor(REVIEWER, UNIT, self.line.now)

    def _rule(self, what: str, a: Label, b: Label, rows_of: Callable[[Any, Actor], list[dict[str, Any]]]) -> str:
        """Say it, if the reference finds it clear."""
        no = f"ID{self.line.now:%Y%m%d}-{len(self.told):05d}"
        meant = self.meant()
        rests_on = meant.mentions_at if what == "home" else meant.mentions_of
        said = Ruling(no, what, a, b, b_rests_on=rests_on(b) if b else frozenset())
        if what in ("same", "home"):
            said = said._replace(a_rests_on=rests_on(a))
        if not self.is_clear(said):
            return ""
        with self.line.store.read() as sql:
            (row,) = rows_of(sql, self._actor())
        receipt = self.line.act("identity", {"no": no, **row})
        assert not any(receipt[name] for name in ("quarantined", "rejected", "pending"))
        self.rulings.append(said)
        return f"{no} {what} {a} {b}"

    def _refused(self, code: str, act: str, one: str, other: str) -> str:
        with pytest.raises(ActError) as refused, self.line.store.read() as sql:
            getattr(identity, act)(sql, self._actor(), "电话核实", one, other)
        assert refused.value.code == code
        return ""

    def _refused_undo(self) -> str:
        with pytest.raises(ActError), self.line.store.read() as sql:
            identity.undo(sql, "nothing")
        return ""

    def _person(self, meant: Meant, root: Label) -> str:
        """The hub's id of a person."""
        row, who = next((row, who) for row in meant.rows for who in row["people"] if meant.person(row, who) == root)
        ((uid,),) = self.line.rows(
            "SELECT s.uid FROM party p JOIN person s ON s.id = p.person_id JOIN record r ON r.id = p.record_id"
            " WHERE r.unit = ? AND r.stream = ? AND r.no = ? AND p.role = ?", *key(row), who["role"],
        )  # fmt: skip
        return str(uid)

    def _home(self, meant: Meant, root: Label) -> str:
        """The hub's id of a household."""
        row = next(row for row in meant.rows if meant.household(row) == root)
        ((uid,),) = self.line.rows(
            "SELECT h.uid FROM event_place e JOIN household h ON h.id = e.household_id JOIN record r ON r.id = e.record_id"
            " WHERE r.unit = ? AND r.stream = ? AND r.no = ?", *key(row),
        )  # fmt: skip
        return str(uid)

    def _position(self, row: Row, role: str) -> int:
        ((position,),) = self.line.rows(
            "SELECT p.idx FROM party p JOIN record r ON r.id = p.record_id"
            " WHERE r.unit = ? AND r.stream = ? AND r.no = ? AND p.role = ?", *key(row), role,
        )  # fmt: skip
        return int(position)

    def _asked(self) -> tuple[str, str, Any, Label] | None:
        """An open item of the review list with one of its candidates, and what both are to the reference."""
        with self.line.store.read() as sql:
            items = identity.review(sql, "identity")
        if not items:
            return None
        item = self.draw.choice(items)
        candidate = self.draw.choice(item["candidates"])
        ((role,),) = self.line.rows(
            "SELECT p.role FROM party p JOIN record r ON r.id = p.record_id"
            " WHERE r.unit = ? AND r.stream = ? AND r.no = ? AND p.idx = ?",
            item["unit"], item["stream"], item["key"], item["position"],
        )  # fmt: skip
        spots = self.line.rows(
            "SELECT r.unit, r.stream, r.no, p.role FROM party p JOIN person s ON s.id = p.person_id"
            " JOIN record r ON r.id = p.record_id WHERE s.uid = ?", candidate,
        )  # fmt: skip
        meant = self.meant()
        where = ((item["unit"], item["stream"], item["key"]), role)
        named = {(tuple(found[:3]), found[3]) for found in spots}
        roots = {meant.person(r, who) for r in meant.rows for who in r["people"] if spot(r, who) in named}
        if len(roots) != 1:
            return None  # somebody of the register of whom there is no record
        root = roots.pop()
        if any(meant.person(r, who) == root for r in meant.rows for who in r["people"] if spot(r, who) == where):
            return None  # answered meanwhile by a merge
        return item["id"], candidate, where, meant.name_of_person(root)

    # -- the comparison ------------------------------------------------------------------------------------------------

    def differences(self) -> list[str]:
        """What the store and the reference do not agree on, by household."""
        meant = self.meant()
        places = self._places()
        found = [*self.not_exact, *self._persons_differ(meant)]
        for root, rows in meant.households().items():
            stands = {tuple(places.get(key(row), ())) for row in rows}
            home = meant.registered(root)
            if len(stands) != 1 or len(next(iter(stands))) != 1:
                found.append(f"{root}: {[(key(row), places.get(key(row))) for row in rows]}")
                continue
            ((household,),) = stands
            others = [known for known, at in places.items() if household in at and known not in {key(r) for r in rows}]
            if others:
                found.append(f"{root}: beside {[key(r) for r in rows]} also {others}")
                continue
            found += [f"{root} ({len(rows)} rows): {d}" for d in self._compare(household, home, rows)]
        return found

    def _persons_differ(self, meant: Meant) -> list[str]:
        stored = {
            ((unit, stream, no), role): person
            for unit, stream, no, role, person in self.line.rows(
                "SELECT r.unit, r.stream, r.no, p.role, p.person_id FROM party p JOIN record r ON r.id = p.record_id"
            )
        }
        pairs = {(meant.person(row, who), stored.get(spot(row, who))) for row in meant.rows for who in row["people"]}
        ours, theirs = Counter(root for root, _ in pairs), Counter(person for _, person in pairs)
        return [f"person {root} is {person}" for root, person in pairs if ours[root] > 1 or theirs[person] > 1]

    def _places(self) -> dict[Key, list[int]]:
        found: dict[Key, list[int]] = {}
        for unit, stream, no, household in self.line.rows(
            "SELECT r.unit, r.stream, r.no, e.household_id FROM event_place e JOIN record r ON r.id = e.record_id"
            " WHERE r.unit <> 'station' AND r.stream <> 'household'"
        ):
            found.setdefault((unit, stream, no), []).append(household)
        return found

    def _compare(self, household: int, home: int | None, rows: list[Row]) -> Iterable[str]:
        said = [row for row in self.objections if home is not None and row["home"] == home]
        self.reports = reported(rows, self.reports)
        slow = walk([*rows, *said], self.line.now, reports=self.reports)
        ((registered, light, assessment),) = self.line.rows(
            "SELECT registered, light, assessment FROM household WHERE id = ?", household
        )
        if registered != (None if home is None else f"HH{home}"):
            yield f"home {home}, store {registered}"
        rules = sorted(c["rule"] for c in json.loads(assessment or '{"concerns": []}')["concerns"])
        green = all(rule == "G1" for rule in rules)
        rules = [rule for rule in rules if rule != "G1" or green]
        if (slow.light(), slow.open_rules()) != (COLOURS[light], rules):
            yield f"reference {slow.light()} {slow.open_rules()}, store {COLOURS[light]} {rules}"
        yield from self._duties(household, slow)

    def _duties(self, household: int, slow: Walk) -> Iterable[str]:
        found = [
            (what, to, f"{from_us(due).astimezone(self.line.now.tzinfo):%Y-%m-%d %H:%M}")
            for what, to, slot, due in self.line.rows(
                "SELECT what, \"to\", slot, due FROM owed WHERE household_id = ? AND state IN ('open', 'accepted')",
                household,
            )
            if what in COVERED and (what != "D11" or slot == "R7")
        ]
        # What a live record caused stays while any of its causes does; where only history is left, as it is (S26, the fence).
        least = owed(slow)
        most = owed(walk([{**row, "live": True} for row in slow.rows], self.line.now, reports=self.reports))
        missing, more = Counter(least) - Counter(found), Counter(found) - Counter(least)
        left = Counter(d[:2] for d in more.elements()) - Counter(
            d[:2] for d in (Counter(most) - Counter(least)).elements()
        )
        if missing or left:
            yield f"owed: reference also {sorted(missing)}, store also {sorted(more)}"


def rounds(line: Line, seed: int, count: int, homes: int = 4, groups: int = 2) -> Iterator[tuple[int, list[str]]]:
    """The life of one district: after each round of records and after each ruling, the steps it took and what differs."""
    district = District(line, homes, groups, seed)
    for _ in range(count):
        district.pass_time(district.draw.choice((0, 1, 3, 7, 30)), district.draw.choice((0, 1, 7)))
        done = district.records(share=0.6)
        yield done, _told(district)
        for _ in range(district.draw.choice((0, 1, 2, 3))):
            if district.ruling():
                yield 1, _told(district)


def _told(district: District) -> list[str]:
    different = district.differences()
    return [*district.told, *different] if different else []
