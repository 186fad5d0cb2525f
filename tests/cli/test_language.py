"""What people read: the Chinese catalogue is whole, compiled, and keeps every placeholder."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from hub.cli.face import LOCALE, speak
from hub.cli.status import WAYS_OUT
from hub.core.codes import CODES, UNITS
from hub.core.explain import FAMILIES
from hub.core.inaction import SENTENCES
from hub.core.lifecycle import STATES
from hub.core.phrases import DUTIES, GROUPS, NUMBERS, RULES, SECTIONS, WORDS
from hub.core.queue_words import BEFORE
from hub.core.records import Light
from hub.runtime.plugins import read_manifests
from tests.cli.conftest import District, Hub

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "hub" / "policies" / "district-2021-08-30.toml"
PO = LOCALE / "zh_CN" / "LC_MESSAGES" / "hub.po"


def said() -> Iterator[str]:
    """Every literal that the code says to people."""
    spoken = ("sentences.py", "queue_words.py", "inaction.py")
    rooms = (ROOT / "hub" / name for name in ("cli", "desk"))
    for path in (
        *(file for room in rooms for file in room.glob("*.py")),
        *(ROOT / "hub" / "core" / name for name in spoken),
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "show_table":
                yield from heads(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
                told = node.args[0]
                arms = [told.body, told.orelse] if isinstance(told, ast.IfExp) else [told]
                yield from (arm.value for arm in arms if isinstance(arm, ast.Constant) and isinstance(arm.value, str))


def heads(table: ast.Call) -> Iterator[str]:
    """Heads and title of a table that the code prints: `show_table` says them."""
    first = table.args[0]
    told = [*(first.elts if isinstance(first, ast.Tuple) else ()), *table.args[2:]]
    yield from (one.value for one in told if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_everything_said_has_its_chinese() -> None:
    """Messages, rules, ways, proofs, units, streams, lights and categories: none is left in English."""
    streams = {name for manifest in read_manifests().manifests.values() for name in manifest.streams}
    categories = {english for name in ("category", "worker_kind") for _, _, english in CODES[name]}
    words = {
        *said(),
        *RULES.values(),
        *WORDS.values(),
        *DUTIES.values(),
        *BEFORE.values(),
        *SENTENCES.values(),
        *(row["cause"] for row in tomllib.loads(POLICY.read_text(encoding="utf-8"))["duty"]),
        *(row["title"] for row in tomllib.loads(POLICY.read_text(encoding="utf-8"))["queue"]),
        *NUMBERS.values(),
        *SECTIONS.values(),
        *GROUPS.values(),
        *UNITS,
        *streams,
        *categories,
        *Light.__members__,
        *WAYS_OUT.values(),
        *(text for state in STATES.values() for text in (state.who, state.english, state.todo)),
    }
    say = speak("zh")

    assert sorted(word for word in words if say(word) == word and re.search("[A-Za-z]", word)) == []


def test_the_compiled_catalogue_is_the_readable_one() -> None:
    """hub.mo is what hub.po compiles to, and no translation loses a placeholder."""
    with PO.open("rb") as file:
        catalogue = read_po(file)
    compiled = BytesIO()
    write_mo(compiled, catalogue)

    assert compiled.getvalue() == PO.with_suffix(".mo").read_bytes()
    for message in catalogue:
        fields = set(re.findall(r"\{(\w+)\}", str(message.id)))
        assert fields == set(re.findall(r"\{(\w+)\}", str(message.string))), message.id


def test_every_family_of_reasons_has_a_phrase() -> None:
    """What other units are told in place of a rule can be said."""
    assert set(FAMILIES.values()) <= set(RULES)


def test_english_is_a_choice(district: District, hub: Hub) -> None:
    """--lang en speaks English; a language that is not there is wrong usage."""
    assert "Household" in hub("--lang", "en", "households", "list").out
    assert "家庭" in hub("households", "list").out
    assert hub("--lang", "fr", "households", "list").code == 2


def test_lists_have_chinese_heads(district: District, hub: Hub) -> None:
    """Tables of lists, their words and the names beside them are said in the language asked for."""
    for command, chinese, english in (
        ("status", "应处理方", "WHO ACTS"),
        ("connectors list", "接收的消息", "DELIVERS"),
        ("policy show", "负责单位", "CLAUSE"),
        ("quarantine list", "处理办法", "TO DO"),
    ):
        told = hub(*command.split()).out
        assert (chinese in told, english in told) == (True, False)
        assert english in hub("--lang", "en", *command.split()).out
    assert "收到 0 = 已采用 0" in hub("status").out


def test_a_refused_act_is_said_in_the_persons_language(district: District, hub: Hub) -> None:
    """What is against the rules and what to do about it, in Chinese and in English."""
    act = ("identity", "undo", "ID-0", "--by", "P9")
    assert "未写明队伍中的办理人" in hub(*act).err
    assert "Nobody of the team is named" in hub("--lang", "en", *act).err


def test_an_issue_says_what_it_means_and_what_to_do_in_the_language_asked_for(district: District) -> None:
    """The open issues of `hub status` carry meaning and remedy in Chinese, and in English on request."""
    assert district("connectors", "enable", "court").code == 0
    chinese, english = district("status").out, district("--lang", "en", "status").out

    assert "强制报告无接收方" in chinese
    assert "请启用 police" in chinese
    assert "Mandatory reports have nobody to go to" in english
    assert "请启用" not in english
