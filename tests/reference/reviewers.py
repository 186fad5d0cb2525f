"""A district in which persons are doubtful and reviewers rule on them: the real line, and the reference beside it.

Each home of the register has couples beside it whom no register knows, and records of people of whom nothing certain is
known. Reviewers merge persons and households, split a record off, answer the review list, take rulings back; families
object. After each round every record must stand on the household that the reference says, with its light, its open
concerns and its open duties.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core import acts
from hub.core.acts import ActError, Actor
from hub.read import identity
from hub.read.explain import explain_household
from hub.read.households import find_household
from tests.line.line_kit import POLICY, VAULT, Line
from tests.reference.held_against import HeldAgainst
from tests.reference.incidents import Key, key
from tests.reference.meant import Label, Meant, Ruling, spot
from tests.reference.people import Row
from tests.reference.store_side import Resident, judged_again, land, register
from tests.reference.strangers import Couple, Registered, as_sent, is_kept

REVIEWER = "W1"
UNIT = "womens_federation"


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
        self.held = HeldAgainst(line)
        self.upheld: list[str] = []  # records to be taken back
        self.count = 0
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
            arrived += [(life.home, row) for row in self._taken_back(life)]
        self.upheld.clear()
        self.draw.shuffle(arrived)
        arrived.sort(key=lambda a: (a[1]["unit"], a[1]["stream"], a[1]["live"]))
        for _, row in arrived:
            self.heard.setdefault(key(row), len(self.heard))
        land(self.line, arrived, as_sent)
        self.line.drain()
        return len(arrived)

    def _taken_back(self, life: Resident) -> list[Row]:
        """Records whose unit found that the family was right."""
        before = {known: len(versions) for known, versions in life.versions.items()}
        for known in before:
            if f"{known[0]}.{known[1]}/{known[2]}" in self.upheld:
                life.retract(known)
        return life.settle(before)

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
        before = self.held.numbered()
        done = act()
        if done and before != (after := self.held.numbered()):
            self.not_exact.append(f"numbers after {done}: {set(before) ^ set(after)}")
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
        before = self.held.everything()
        done = self.draw.choice((self.merge, self.merge_homes, self.split, self.accept))()
        if not done:
            return ""
        one = self.rulings.pop()
        with self.line.store.read() as sql:
            rows = identity.undo(sql, one.no)
        self.line.act("identity", *rows)
        for what, after in self.held.everything().items():
            gone, more = set(before[what]) - set(after), set(after) - set(before[what])
            if gone or more:
                self.not_exact.append(f"{what} after {done} and back: gone {sorted(gone)}, more {sorted(more)}")
        return f"{done} and back"

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
        """A family objects to its light or to a record, or an objection is answered: by nobody whose act it is about."""
        meant = self.meant()
        roots = sorted({meant.household(row) for row in meant.rows}, key=repr)
        if not roots:
            return ""
        root = self.draw.choice(roots)
        home, uid = meant.registered(root), self._home(meant, root)
        mine = [row for row in self.objections if row["home"] == home and row["stream"] == "objection"]
        if home is not None and mine and self.draw.random() < 0.5:
            return self._answer(uid, self.draw.choice(mine))
        row = self.draw.choice([row for row in meant.rows if meant.household(row) == root])
        about = self.draw.choice(("light", f"{row['unit']}.{row['stream']}/{row['no']}"))
        facts = acts.objection(self._explained(uid), self._actor(), "不属实", about)
        return self._said("objection", home, {**facts, "unit": None}, row["unit"] if about != "light" else None)

    def _answer(self, uid: str, objection: Row) -> str:
        """Upheld, the unit mostly takes its record back; the light follows that, and nothing else."""
        told, no = self._explained(uid), objection["no"]
        if objection["of_unit"] is not None:
            with pytest.raises(ActError) as refused:
                acts.objection_answer(told, Actor("W9", objection["of_unit"], self.line.now), no, "refused", "已核查")
            assert refused.value.code == "act.own"
        decision = self.draw.choice(("upheld", "partly", "refused"))
        unit = "court" if objection["of_unit"] == UNIT else UNIT
        facts = acts.objection_answer(told, Actor(REVIEWER, unit, self.line.now), no, decision, "已核查")
        if decision == "upheld" and objection["of_unit"] is not None:
            self.upheld.append(objection["facts"]["about"])
        return self._said("objection_answer", objection["home"], facts, None)

    def _said(self, stream: str, home: int | None, facts: Row, of_unit: str | None) -> str:
        no = f"OB{self.count}"
        self.count += 1
        self.line.act(stream, {name: value for name, value in {**facts, "no": no}.items() if value is not None})
        self.objections.append({
            "unit": "station", "stream": stream, "no": no, "home": home, "at": self.line.now, "of_unit": of_unit,
            "facts": {**facts, "at": self.line.now}, "people": [], "related": [], "path": [], "live": True,
            "updated": self.line.now, "received": self.line.now, "deleted": False,
        })  # fmt: skip
        return f"home {home}: {stream} about {facts.get('about') or facts['objection_no']}"

    def _explained(self, uid: str) -> dict[str, Any]:
        with self.line.store.read() as sql:
            return explain_household(sql, VAULT, find_household(sql, uid), POLICY, self.line.now)

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
        return [*self.not_exact, *self.held.differences(self.meant(), self.objections)]


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
    different = [*district.differences(), *judged_again(district.line)]
    return [*district.told, *different] if different else []
