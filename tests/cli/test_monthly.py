"""`hub report monthly`: what the monthly meeting looks at, without names and without small numbers."""

from __future__ import annotations

from openpyxl import load_workbook

from tests.cli.conftest import District
from tests.cli.test_queue import family
from tests.end_to_end.story import CHILD, COMMUNITY, HUSBAND, OTHER_MAN, OTHER_WOMAN, WIFE
from tests.end_to_end.story import call as police_call

MONTH = ("--community", COMMUNITY, "--month", "2026-11")


def fill(district: District) -> None:
    """A red and an orange family, six calls of the red one, a class and a meeting."""
    at = "2026-10-01 08:00:00"
    district.ingest(
        "community_grid",
        "household",
        *family("H1", at, HUSBAND, WIFE, CHILD),
        *family("H2", at, OTHER_MAN, OTHER_WOMAN),
    )
    district.ingest(
        "police", "incident", *(police_call(f"J{n}", f"2026-11-{n:02} 20:00:00", intensity="2") for n in range(1, 7))
    )
    district.ingest("police", "incident", {
        **police_call("K1", "2026-11-20 20:00:00"), **OTHER_MAN.block("party_a"), **OTHER_WOMAN.block("party_b"),
    })  # fmt: skip
    activity = {
        "kind": "2",
        "at": "2026-11-10",
        "attendees": "30",
        "updated_at": "2026-11-10 18:00:00",
        "community_code": COMMUNITY,
    }
    district.ingest(
        "womens_federation",
        "activity",
        {**activity, "activity_no": "A1"},
        {**activity, "activity_no": "A2", "kind": "1"},
    )


def test_the_situation_of_a_month(district: District) -> None:
    """Lights, changes, agenda and activities as they are; what single units sent or owed only from five on."""
    fill(district)
    told = district("report", "monthly", *MONTH, "--json").json

    assert (told["lights"]["red"], told["lights"]["orange"], told["lights_before"]["red"]) == (1, 1, 0)
    assert told["changes"]["new_red"] == 1
    assert {r["stream"]: r["count"] for r in told["records"]} == {"incident": 7}
    assert all(r[name] in (0, None) or r[name] >= 5 for r in told["duties"] for name in ("opened", "open", "overdue"))
    assert {"D1", "D2", "D3"} <= {r["what"] for r in told["duties"]}
    assert len(told["agenda"]) == 1  # D22: six calls and the light as it was
    assert {r["kind"]: (r["count"], r["attendees"]) for r in told["activities"]} == {
        "class": (1, 30),
        "meeting": (1, 30),
    }
    assert (
        district("report", "monthly", "--community", "310101001009", "--month", "2026-11", "--json").json["duties"]
        == []
    )


def test_it_is_printed_or_worked_with(district: District) -> None:
    """HTML and XLSX say the same in Chinese, with no name; another ending, and a month to come, are wrong usage."""
    fill(district)
    page, book = district.folder / "m.html", district.folder / "m.xlsx"
    assert district("report", "monthly", *MONTH, "--out", str(page)).code == 0
    assert district("report", "monthly", *MONTH, "--out", str(book)).code == 0
    cells = [cell.value for row in load_workbook(book).active.iter_rows() for cell in row if cell.value is not None]

    for text in (
        page.read_text(encoding="utf-8"),
        "\n".join(map(str, cells)),
        district("report", "monthly", *MONTH).out,
    ):
        assert "红灯随访 D2" in text
        assert "<5" in text or "&lt;5" in text
        assert all(human.name not in text for human in (HUSBAND, WIFE, CHILD, OTHER_MAN, OTHER_WOMAN))
    assert district("report", "monthly", *MONTH, "--out", "m.pdf").code == 2
    assert district("report", "monthly", "--community", COMMUNITY, "--month", "2926-01").code == 2
    assert "report.monthly" in district("export", "audit", "--jsonl", "-").out
