"""The vault: nothing readable without keys, nothing movable with them."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import QuarantineError
from hub.core.hood import CERTAIN, REVIEW
from hub.core.normalise import normalise
from hub.core.records import SHANGHAI, Draft, Key, Person, Problem
from hub.security.indexes import Mac
from hub.security.keys import Keys, MasterKey, add_key, create_key_file
from hub.security.uids import new_uid
from hub.security.vault import Vault, key_number_of, people_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=SHANGHAI)
KEYS = Keys([MasterKey(1, frozenset({"active", "index"}), bytes(range(32)))])
VAULT = Vault(KEYS)
ROW = {"接警编号": "JJ1", "甲方姓名": "刘向明", "报警人姓名": "赵举报", "报警内容": "邻居听见孩子哭"}
FATHER = Person(
    "party_a", "刘向明", "111", "310101198404123113", None, "male", date(1984, 4, 12), "13900000101", "虚构路18弄", None
)
WITNESS = Person("reporter", "赵举报", phone="13900000199")


def call(*persons: Person, **changes: Any) -> Draft:
    """A clean draft of a call."""
    made = Draft(
        0, Key("police", "incident", "JJ1"), "police_call", NOW, False,
        {"called_at": NOW, "category": "family_dispute", "community": "310101001001", "relation": "spouse"},
        persons, (), {"narrative": "邻居听见孩子哭"}, orjson.dumps({"接警编号": "JJ1"}), NOW,
    )  # fmt: skip
    return made._replace(**changes)


def kinds(draft: Draft, party: int = 0) -> list[str]:
    """The kinds of index that a party of the draft gets."""
    return [index.kind for index in VAULT.seal(draft, "live", NOW).indexes[party]]


def test_a_sealed_record_opens_to_what_went_in() -> None:
    """Persons, texts and original come back; the event holds codes, dates and nothing personal."""
    draft = call(FATHER)
    sealed = VAULT.seal(draft, "live", NOW)
    body = VAULT.open_body(sealed.uid, sealed.body)
    assert people_of(body) == draft.persons
    assert (body["texts"], body["original"]) == (draft.texts, draft.original)
    assert body["persons"][0]["born"] == "1984-04-12"
    assert sealed.event.parties[0] == ("party_a", None, date(1984, 4, 12), None, "male")
    assert (sealed.event.live, sealed.event.version, sealed.reporter) == (True, 0, None)
    assert VAULT.seal(draft, "backfill", NOW).event.live is False


def test_nothing_personal_is_readable() -> None:
    """No name, number, phone, address or text stands anywhere in what the store is given."""
    sealed = VAULT.seal(call(FATHER, WITNESS, original=json.dumps(ROW, ensure_ascii=False).encode()), "live", NOW)
    shown = repr(sealed)
    stored = sealed.body + (sealed.reporter or b"") + b"".join(i.value for party in sealed.indexes for i in party)
    for secret in ("刘向明", "310101198404123113", "13900000101", "虚构路", "赵举报", "13900000199", "孩子哭"):
        assert secret not in shown
        assert secret.encode() not in stored


def test_the_reporter_has_a_compartment_of_its_own() -> None:
    """The reporter, and the row that tells of one, open only with the reporter's key; nobody is indexed by reporting."""
    original = json.dumps(ROW, ensure_ascii=False).encode()
    sealed = VAULT.seal(call(FATHER, WITNESS, original=original), "live", NOW)
    body = VAULT.open_body(sealed.uid, sealed.body)
    assert "赵举报" not in str(body)
    assert body["original"] == b""
    assert sealed.reporter is not None
    secret = VAULT.open_reporter(sealed.uid, sealed.reporter)
    assert people_of(secret) == (WITNESS,)
    assert secret["original"] == original
    assert len(sealed.event.parties) == len(sealed.indexes) == 1
    with pytest.raises(QuarantineError):
        VAULT.open_body(sealed.uid, sealed.reporter)


@pytest.mark.parametrize(
    ("row", "secret"),
    [
        ({"BJRXM": "赵举报"}, True),
        ({"报警人备注": "赵"}, True),
        ({"报警人": ""}, False),
        ({"内容": "报警人称争吵"}, False),
    ],
)
def test_unmapped_columns_that_tell_of_a_reporter(row: dict[str, str], secret: bool) -> None:
    """A unit's own column that nobody mapped takes the row into the compartment when its cell says something."""
    sealed = VAULT.seal(call(FATHER, original=json.dumps(row, ensure_ascii=False).encode()), "live", NOW)
    assert (sealed.reporter is not None) is secret
    assert (VAULT.open_body(sealed.uid, sealed.body)["original"] == b"") is secret


def test_a_body_opens_in_its_own_place_only() -> None:
    """Copied to another row or column, or changed in any byte, sealed bytes do not open."""
    sealed = VAULT.seal(call(FATHER), "live", NOW)
    other = new_uid(NOW)
    with pytest.raises(QuarantineError, match="does not open"):
        VAULT.open_body(other, sealed.body)
    with pytest.raises(QuarantineError):
        VAULT.open_blob(sealed.uid, sealed.body)
    for position in (0, 1, 2, 5, 20, len(sealed.body) - 1):
        broken = bytearray(sealed.body)
        broken[position] ^= 1
        with pytest.raises((QuarantineError, Exception)) as caught:
            VAULT.open_body(sealed.uid, bytes(broken))
        assert getattr(caught.value, "code", "") in ("seal.broken", "keys.missing")


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_blobs(plain: bytes, junk: bytes) -> None:
    """A page opens to its bytes under its own uid; junk never opens and never raises anything else."""
    sealed = VAULT.seal_blob("page-1", plain)
    assert VAULT.open_blob("page-1", sealed) == plain
    assert sealed != VAULT.seal_blob("page-1", plain)
    with pytest.raises(QuarantineError):
        VAULT.open_blob("page-1", sealed[:3] + junk)


def test_what_makes_two_versions_the_same() -> None:
    """Row, time of update, original and issues do not; facts, persons, texts, numbers and retraction do."""
    base = call(FATHER)

    def digest(draft: Draft) -> bytes:
        return VAULT.seal(draft, "live", NOW).digest

    same = base._replace(row=9, updated_at=NOW + timedelta(days=1), original=b"{}", issues=(("phone.invalid", "x"),))
    assert digest(same) == digest(base)
    reordered = base._replace(facts=dict(reversed(list(base.facts.items()))))
    assert digest(reordered) == digest(base)
    others = [
        base._replace(deleted=True), base._replace(related=("A",)), base._replace(texts={}), base._replace(facts={}),
        base._replace(persons=()), base._replace(persons=(FATHER._replace(phone=None),)),
    ]  # fmt: skip
    assert len({digest(draft) for draft in (base, *others)}) == 7


def test_a_rejected_row_keeps_key_time_and_digest_only() -> None:
    """Of a row that is not ours nothing but key, time and digest is kept."""
    raw = call(FATHER, facts={"called_at": "2026-11-01", "category": "3"}, updated_at="2026-11-02")
    problem = normalise(raw, received_at=NOW)
    assert isinstance(problem, Problem)
    assert problem.draft is not None
    sealed = VAULT.seal(problem.draft, "live", NOW, problem)
    assert sealed.rejected is not None
    assert (sealed.rejected.code, sealed.rejected.draft, sealed.rejected.original) == ("not_ours.neighbours", None, b"")
    assert (sealed.body, sealed.reporter, sealed.event.parties, sealed.indexes, sealed.event.facts) == (
        b"",
        None,
        (),
        (),
        {},
    )
    assert sealed.event.updated_at == datetime(2026, 11, 2, tzinfo=SHANGHAI)
    assert VAULT.open_body(sealed.uid, b"")["persons"] == []


def test_indexes_of_somebody_known_in_full() -> None:
    """Every kind of index that decides, and those for the review list."""
    assert set(kinds(call(FATHER))) == {*CERTAIN, *REVIEW}


@pytest.mark.parametrize("name", ["刘某", "刘**", "刘", "刘先生", None])
def test_masked_names_decide_nothing(name: str | None) -> None:
    """A surname or a masked name makes no certain index; the telephone alone is for the review list."""
    assert kinds(call(FATHER._replace(name=name, id_number=None))) == ["phone"]


def test_masked_numbers_meet_full_ones_on_the_review_list() -> None:
    """A masked number and the full one share an index with the surname, and nothing certain."""
    full = VAULT.seal(call(FATHER), "live", NOW).indexes[0]
    for pattern in ("3101****3113", "310101********3113"):
        masked = VAULT.seal(call(Person("party_a", "刘某", id_masked=pattern)), "live", NOW).indexes[0]
        assert [index.kind for index in masked] == ["masked"]
        assert masked[0] in full
    assert VAULT.seal(call(Person("party_a", "王某", id_masked="3101****3113")), "live", NOW).indexes[0][0] not in full


def test_records_that_cite_one_number_share_an_index() -> None:
    """A letter that cites a call knows the persons of the call by name and number (A6)."""
    person = Person("alleged", "刘向明")
    letter = call(person, key=Key("police", "admonition", "GJ-7"), kind="admonition_issued", related=("JJ1",))
    cited = {i for i in VAULT.seal(letter, "live", NOW).indexes[0] if i.kind == "name_number"}
    own = {i for i in VAULT.seal(call(FATHER), "live", NOW).indexes[0] if i.kind == "name_number"}
    assert len(cited) == 2
    assert own < cited


def test_each_kind_of_index_has_its_own_key() -> None:
    """Equal text under two kinds gives two values, and passports never meet resident numbers."""
    phone = VAULT.seal(call(Person("party_a", "刘某", phone="13900000101")), "live", NOW).indexes[0]
    passport = VAULT.seal(call(Person("party_a", "刘某", id_type="414", id_number="13900000101")), "live", NOW).indexes[
        0
    ]
    assert phone[0].value != passport[0].value
    values = [index.value for index in VAULT.seal(call(FATHER), "live", NOW).indexes[0]]
    assert len(set(values)) == len(values)
    assert {len(value) for value in values} == {16}


@given(st.binary(max_size=100), st.binary(min_size=16, max_size=64))
def test_mac_is_hmac(message: bytes, key: bytes) -> None:
    """The copied states give exactly HMAC-SHA256."""
    assert Mac(key)(message) == hmac.new(key, message, hashlib.sha256).digest()


def test_rotation_without_downtime(tmp_path: Path) -> None:
    """After a new key is active, old bodies open, look-ups and digests stay, and rewrapped bodies carry the new number."""
    path = tmp_path / "master"
    old = Vault(create_key_file(path))
    before = old.seal(call(FATHER), "live", NOW)
    new = Vault(add_key(path))
    after = new.seal(call(FATHER), "live", NOW)
    assert (key_number_of(before.body), key_number_of(after.body)) == (1, 2)
    assert new.open_body(before.uid, before.body)["texts"] == {"narrative": "邻居听见孩子哭"}
    assert (after.indexes, after.digest) == (before.indexes, before.digest)
    moved = new.reseal("body", before.uid, before.body)
    assert moved is not None
    assert key_number_of(moved) == 2
    assert new.open_body(before.uid, moved) == new.open_body(before.uid, before.body)
    assert new.reseal("body", before.uid, moved) is None


def test_the_vault_prints_no_key() -> None:
    """Neither the vault nor its parts show a byte of any key."""
    secret = bytes(range(32))
    for thing in (VAULT, KEYS, VAULT._indexes, MasterKey(1, frozenset(), secret)):
        for shown in (repr(thing), str(thing), f"{thing}"):
            assert secret.hex() not in shown
            assert "\\x01\\x02" not in shown


def test_uids_are_ordered_by_time() -> None:
    """Identifiers made later sort later, look like UUIDs of version 7, and never repeat."""
    made = [new_uid(NOW + timedelta(milliseconds=n)) for n in range(50)]
    assert made == sorted(made)
    assert len({new_uid(NOW) for _ in range(1000)}) == 1000
    assert {(len(uid), uid[14], uid[19] in "89ab") for uid in made} == {(36, "7", True)}
