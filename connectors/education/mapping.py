"""In: the tables of schema.py, and the ID number inside a student number. Out: messages as canonical JSON."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.education.schema import STREAMS
from hub.sdk import Connector, Draft, Person, canonical_json, cell_text, is_stated, read_manifest

_STUDENT_NO = re.compile(r"([GJLgjl])([0-9*]{8,18}[0-9Xx*]?)")
"""学籍号: G + ID number (masked alike); J, a school's pseudo number with a valid check digit; L, a temporary one."""


def student_identity(draft: Draft, row: Mapping[str, Any]) -> Draft:
    """The student's ID number from a student number beginning with G when none was sent; J and L numbers are none."""
    index = next((i for i, person in enumerate(draft.persons) if person.role == "victim"), None)
    student = Person("victim") if index is None else draft.persons[index]
    number = student.id_number
    if is_stated(number) and (letter := _STUDENT_NO.fullmatch(cell_text(number))):
        number = letter[2] if letter[1] in "Gg" else None
    if not is_stated(number):
        number = _inside(row.get("student_no"))
    if number == student.id_number or not (index is not None or number):
        return draft
    known = student._replace(id_number=number)
    persons = (*draft.persons, known) if index is None else (*draft.persons[:index], known, *draft.persons[index + 1 :])
    return draft._replace(persons=persons)


def _inside(student_no: object) -> str | None:
    found = _STUDENT_NO.fullmatch(cell_text(student_no))
    return found[2] if found and found[1] in "Gg" else None


OUT = {
    "duty": canonical_json,
    "answer": canonical_json,
    "report_copy": canonical_json,
    "notice": canonical_json,
}

CONNECTOR = Connector(
    name="education",
    unit="education",
    streams={**STREAMS, "concern": replace(STREAMS["concern"], finish=student_identity)},
    manifest=read_manifest(Path(__file__).with_name("manifest.toml")),
    renderers=OUT,
)
