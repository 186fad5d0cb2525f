"""A connector made of tables maps rows by them, and refuses tables that contradict themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

import hub.sdk
from hub.sdk import (
    COMMON,
    ConfigurationError,
    Connector,
    Draft,
    Field,
    Key,
    Problem,
    Stream,
    parse_manifest,
    person_block,
)
from hub.sdk.connector import PLANS

VISIT = Stream("visit", "走访", "visit_recorded", ("visit_no",), (
    Field("visit_no", "编号", "key"), Field("at", "日期", "fact:at"), Field("finding", "发现", "fact:finding"),
    Field("narrative", "描述", "text:narrative"), *person_block("victim", "受害人", "victim"),
    *person_block("doctor", "医生", "reporter"), *person_block("reporter", "报告人", "reporter"), *COMMON,
))  # fmt: skip


def manifest(*streams: str, never_store: tuple[str, ...] = ()) -> Any:
    entry = {
        "title": "走访", "freshness": "1d", "legal_basis": "关护五(七)", "data_classes": ["identity"],
        "never_store": list(never_store),
    }  # fmt: skip
    return parse_manifest(
        {
            "name": "x",
            "unit": "education",
            "title": "某局",
            "owner": "某科",
            "api": ">=1,<2",
            "streams": dict.fromkeys(streams, entry),
        }
    )


def connector(stream: Stream = VISIT, **more: Any) -> Connector:
    return Connector(name="x", unit="education", streams={stream.name: stream}, manifest=manifest(stream.name), **more)


def only(drafts: list[Draft | Problem]) -> Draft:
    (draft,) = drafts
    assert isinstance(draft, Draft)
    return draft


def test_row_becomes_a_draft() -> None:
    """Facts, texts, persons, numbers and times stand where the table says, raw; what is empty is left out."""
    row = {
        "编号": " V1 ", "日期": "2026-11-01", "发现": "", "描述": "平稳", "受害人姓名": "某人", "受害人性别": "女", "关联编号": "A1；A2",
        "社区编码": "310101001001", "社区名称": "虚构社区", "更新时间": "2026-11-02", "删除标志": "0", "不认识": 1,
    }  # fmt: skip

    draft = only(connector().map_rows("visit", [row], first_row=5))

    assert draft.row == 5
    assert draft.key == Key("education", "visit", "V1")
    assert (draft.kind, draft.updated_at, draft.deleted) == ("visit_recorded", "2026-11-02", "0")
    assert draft.facts == {"at": "2026-11-01", "community": "310101001001"}
    assert draft.texts == {"narrative": "平稳"}
    assert draft.related == ("A1", "A2")
    assert [(p.role, p.name, p.sex, p.id_number) for p in draft.persons] == [("victim", "某人", "女", None)]
    assert orjson.loads(draft.original) == row


def test_one_entry_per_row_in_order() -> None:
    """A row that is no object and a row without its number are problems in their places."""
    drafts = connector().map_rows("visit", [{"编号": "1"}, None, {"编号": "无"}, {"visit_no": 2}], first_row=1)

    assert [type(entry).__name__ for entry in drafts] == ["Draft", "Problem", "Problem", "Draft"]
    assert [entry.row for entry in drafts] == [1, 2, 3, 4]
    problems = [entry for entry in drafts if isinstance(entry, Problem)]
    assert [(p.code, p.field, p.key, p.rejected) for p in problems] == [
        ("row.invalid", "", None, False), ("key.missing", "visit_no", None, False),
    ]  # fmt: skip
    assert all(problem.remedy for problem in problems)
    assert problems[1].original == '{"编号":"无"}'.encode()


def test_rename_takes_their_header() -> None:
    """A renamed header feeds the column it was given to, and no longer the column of ours it happens to be called."""
    row = {"JLBH": "9", "编号": "1", "at": "2026-11-01", "描述": "文字"}

    draft = only(connector().map_rows("visit", [row], renames={"编号": "jlbh", "发现": "描述"}))

    assert draft.key.no == "9"
    assert draft.facts == {"at": "2026-11-01", "finding": "文字"}
    assert draft.texts == {}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"发现": "1", "finding": "3"}, "1"),
        ({"发现": "", "finding": "3"}, "3"),
        ({"发现": "不详", "FINDING ": "3"}, "3"),
        ({"发现": "不详", "finding": None}, "不详"),
    ],
)
def test_of_two_columns_of_one_meaning_the_first_that_states_something_wins(row: dict[str, Any], expected: str) -> None:
    """Two headers of one field are no reason to hold a record back."""
    assert only(connector().map_rows("visit", [{"编号": "1", **row}])).facts == {"finding": expected}


@pytest.mark.parametrize(
    ("block", "somebody"),
    [
        ({"受害人姓名": ""}, False),
        ({"受害人姓名": "无", "受害人证件号码": "/", "受害人联系电话": None, "受害人民事行为能力": "无"}, False),
        ({"受害人证件类型": "111", "受害人性别": "0"}, False),
        ({"受害人性别": "未说明"}, False),
        ({"受害人性别": "女"}, True),
        ({"受害人民事行为能力": "1"}, True),
        ({"受害人出生日期": "2015-01-01"}, True),
        ({"受害人姓名": "无", "受害人联系电话": 13900000101}, True),
    ],
)
def test_block_makes_a_person_only_if_it_states_somebody(block: dict[str, Any], somebody: bool) -> None:
    """A block of empty cells, a kind of document or an unknown sex alone is nobody."""
    assert bool(only(connector().map_rows("visit", [{"编号": "1", **block}])).persons) is somebody


def test_one_person_under_two_prefixes_of_a_role_is_one() -> None:
    """Doctor and reporter are two prefixes of one role: the same person once, two persons twice, never mixed."""
    same = {"编号": "1", "医生姓名": "甲", "报告人姓名": "甲"}
    two = {"编号": "2", "医生姓名": "甲", "报告人姓名": "乙", "报告人联系电话": "13900000101"}

    first, second = connector().map_rows("visit", [same, two])

    assert isinstance(first, Draft)
    assert isinstance(second, Draft)
    assert [(p.role, p.name, p.phone) for p in first.persons] == [("reporter", "甲", None)]
    assert [(p.role, p.name, p.phone) for p in second.persons] == [
        ("reporter", "甲", None),
        ("reporter", "乙", "13900000101"),
    ]


def test_failing_hook_is_a_problem_of_its_row() -> None:
    """A stream's own hook that raises quarantines that row; its neighbours are mapped."""

    def finish(draft: Draft, row: Mapping[str, Any]) -> Draft:
        return draft._replace(facts={"at": row["at"][0]})

    stream = Stream("visit", "走访", "visit_recorded", ("visit_no",), VISIT.fields, finish)

    drafts = connector(stream).map_rows("visit", [{"编号": "1", "日期": None}, {"编号": "2", "日期": "x"}])

    assert isinstance(drafts[0], Problem)
    assert drafts[0].code == "mapping.failed"
    assert isinstance(drafts[1], Draft)
    assert drafts[1].facts == {"at": "x"}


def test_columns_that_may_not_be_stored_are_counted() -> None:
    """The drafts say which headers were dropped and how often; the original does not hold them."""
    made = Connector(
        name="x",
        unit="education",
        streams={"visit": VISIT},
        manifest=manifest("visit", never_store=("*住址*", "*address*")),
    )

    drafts = made.map_rows(
        "visit", [{"编号": "1", "受害人住址": "某处", "x": {"Address": 1}}, {"编号": "2", "受害人住址": ""}]
    )

    assert drafts.dropped == {"受害人住址": 2, "Address": 1}
    assert only(drafts[:1]).original == '{"编号":"1","x":{}}'.encode()


def test_sparse_rows_do_not_grow_the_plans_for_ever() -> None:
    """A source that varies its columns with every row costs time, not memory."""
    made = connector()

    made.map_rows("visit", [{"编号": "1", f"c{number}": 1} for number in range(PLANS + 10)])

    assert len(made._plans) <= PLANS


def test_what_json_cannot_hold_is_kept_as_text() -> None:
    """Half a character, a number beyond 64 bits or a foreign object does not lose the row."""
    rows = [
        {"编号": "1", "a": "\ud800"},
        {"编号": "2", "a": 10**30},
        {"编号": "3", "a": object},
        {"编号": "4", None: float("nan")},
    ]

    drafts = connector().map_rows("visit", rows)

    assert all(isinstance(draft, Draft) for draft in drafts)
    assert orjson.loads(drafts[3].original) == {"编号": "4", "None": None}


def test_messages_are_canonical_json() -> None:
    """The same message is the same bytes whatever the order of its fields; a connector may have a form of its own."""
    made = connector(renderers={"duty": lambda owed, body: b"own"})

    assert made.render(None, {"type": "answer", "b": 1, "a": "文"}) == made.render(
        None, {"a": "文", "b": 1, "type": "answer"}
    )
    assert made.render(None, {"report_no": "1"}) == b'{"report_no":"1"}'
    assert made.render(None, {"type": "duty"}) == b"own"


def test_transport_is_the_configured_one_unless_told() -> None:
    """A connector that brings no way of fetching or sending uses the configured transport."""
    assert connector().fetch is None
    assert connector().send is None


NO = Field("visit_no", "编号", "key")


@pytest.mark.parametrize(
    ("kind", "key", "fields", "said"),
    [
        ("no_such_kind", ("visit_no",), (NO,), "unknown kind"),
        ("visit_recorded", (), (NO,), "key"),
        ("visit_recorded", ("other_no",), (NO,), "key"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "甲", "fact:undeclared")), "fact:undeclared"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "甲", "text:undeclared")), "text:undeclared"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "甲", "person:nobody.name")), "person:nobody.name"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "甲", "person:victim.role")), "person:victim.role"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "甲", "somewhere")), "somewhere"),
        ("visit_recorded", ("visit_no",), (NO, Field("x", "编号", "drop")), "编号"),
        ("visit_recorded", ("visit_no",), (NO, Field("at", "日期", "fact:at", codes="none_such")), "none_such"),
    ],
)
def test_contradicting_table_is_refused(kind: str, key: tuple[str, ...], fields: tuple[Field, ...], said: str) -> None:
    """A table that does not fit the shared schema or itself is refused when it is made, naming the place."""
    with pytest.raises(ConfigurationError, match=said):
        Stream("visit", "走访", kind, key, fields)


def test_every_wrong_column_is_told_with_what_it_could_be() -> None:
    """One refusal names them all: the near name, or what the kind has."""
    wrong = (
        NO,
        Field("a", "甲", "fact:occurred"),
        Field("b", "乙", "person:victim.birthdate"),
        Field("c", "丙", "text:x"),
    )
    with pytest.raises(ConfigurationError) as caught:
        Stream("visit", "走访", "visit_recorded", ("visit_no",), wrong)
    assert "visit_recorded does not have; it has at, mode, finding" in str(caught.value)
    assert "it has narrative" in str(caught.value)
    assert "expected a role of" in str(caught.value) or "did you mean person:victim." in str(caught.value)


def test_a_day_of_birth_has_two_names() -> None:
    """``birth_date``, as the column is called, is ``born``."""
    fields = (NO, Field("name", "姓名", "person:victim.name"), Field("day", "生日", "person:victim.birth_date"))
    visit = Stream("visit", "走访", "visit_recorded", ("visit_no",), fields)
    table = connector(visit)
    draft = only(table.map_rows("visit", [{"编号": "1", "姓名": "林小舟", "生日": "2015-05-20"}]))
    assert draft.persons[0].born == "2015-05-20"


def test_connector_that_differs_from_its_manifest_is_refused() -> None:
    """Name, unit and streams are those of the manifest."""
    with pytest.raises(ConfigurationError, match="name"):
        Connector(name="y", unit="education", streams={"visit": VISIT}, manifest=manifest("visit"))
    with pytest.raises(ConfigurationError, match="unit"):
        Connector(name="x", unit="health", streams={"visit": VISIT}, manifest=manifest("visit"))
    with pytest.raises(ConfigurationError, match="more"):
        Connector(name="x", unit="education", streams={"visit": VISIT}, manifest=manifest("visit", "more"))
    with pytest.raises(ConfigurationError, match="is listed as"):
        Connector(name="x", unit="education", streams={"round": VISIT}, manifest=manifest("round"))


def test_unknown_names_of_renames_are_told() -> None:
    """The left side of a configured rename that names no column can be found before the first record."""
    assert VISIT.unknown_names({"编号": "a", "VISIT_NO": "b", "编码": "c"}) == ["编码"]


def test_one_public_door() -> None:
    """What connectors may import stands in one sorted list, and each name is there."""
    constants, classes, functions = str.isupper, lambda name: name[0].isupper() and not name.isupper(), str.islower
    assert hub.sdk.__all__ == [
        name for of in (constants, classes, functions) for name in sorted(filter(of, hub.sdk.__all__))
    ]
    assert all(hasattr(hub.sdk, name) for name in hub.sdk.__all__)


CONFLICT = (Field("no", "编号", "key"),)
OWN_CODES = {"01": "general_conflict", "邻里": "disturbs_neighbours"}


@pytest.mark.parametrize(
    ("cell", "fact"),
    [("01", "general_conflict"), ("邻里", "disturbs_neighbours"), (" 01 ", "general_conflict"), ("99", "99")],
)
def test_unit_with_codes_of_its_own(cell: str, fact: str) -> None:
    """A unit's own codes become our words; one that it did not name stays as sent, for the hub to judge."""
    stream = Stream(
        "c", "c", "conflict_found", ("no",), (*CONFLICT, Field("kind", "类型", "fact:kind", codes=OWN_CODES))
    )

    draft = only(connector(stream).map_rows("c", [{"编号": "1", "类型": cell}]))

    assert draft.facts == {"kind": fact}


@pytest.mark.parametrize("target", ["fact:kind", "fact:frequent", "text:narrative"])
def test_own_codes_are_words_of_the_table(target: str) -> None:
    """A word that the kind's code table does not have, or a column without codes, is refused when the stream is made."""
    with pytest.raises(ConfigurationError, match="expected words of"):
        Stream("c", "c", "conflict_found", ("no",), (*CONFLICT, Field("x", "类型", target, codes={"01": "quarrel"})))


def test_everything_behind_the_door_is_there() -> None:
    """Each name of ``__all__`` can be had, sorted as written, and no other transport by accident."""
    assert all(getattr(hub.sdk, name) is not None for name in hub.sdk.__all__)
    assert len(set(hub.sdk.__all__)) == len(hub.sdk.__all__)
    with pytest.raises(AttributeError, match="promises no Boundary"):
        hub.sdk.Boundary  # noqa: B018 (looking it up is the test)


def test_tables_pay_for_no_transport() -> None:
    """A connector that is tables loads neither the HTTP client nor the database toolkit."""
    code = "import sys, connectors.police.mapping; assert not {'httpx', 'sqlalchemy', 'python_calamine'} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)
