"""A record written back as a row is taken as the same record: what one hub hands over another can read."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.core.normalise import normalise
from hub.core.records import SHANGHAI, Draft
from hub.core.unmap import Table, row_of, unwritten
from tests.connectors.sample_files import connector, sample_rows, samples

NOW = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)


def clean(name: str, stream: str, rows: list[dict[str, object]]) -> list[Draft]:
    drafts = connector(name).map_rows(stream, rows)
    found = [normalise(draft, received_at=NOW, lenient=True) for draft in drafts if isinstance(draft, Draft)]
    return [draft for draft in found if isinstance(draft, Draft) and not draft.deleted]


@pytest.mark.parametrize(("name", "stream"), samples())
def test_written_back_and_read_again_it_is_the_same(name: str, stream: str) -> None:
    """Facts, persons, texts and numbers of every sample row survive; only the reporter stays behind."""
    known = connector(name).streams[stream]
    table = Table(known.key, tuple((field.name, field.to, field.block) for field in known.fields))
    for draft in clean(name, stream, sample_rows(name, stream)):
        persons = [person for person in draft.persons if person.role != "reporter"]
        row = row_of(table, draft.key, draft.updated_at, draft.facts, persons, draft.texts, draft.related)
        (again,) = clean(name, stream, [row])

        assert not [column for column in row if column.startswith("reporter_")]
        assert (again.key, again.at, again.related) == (draft.key, draft.at, draft.related)
        assert {k: v for k, v in again.facts.items() if v is not None} == {
            k: v for k, v in draft.facts.items() if v is not None
        }
        assert again.texts == draft.texts
        if not unwritten(table, persons):
            assert set(again.persons) == set(persons)
