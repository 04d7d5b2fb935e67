"""The schema table: what is made from it is up to date, and it says nothing twice."""

import runpy
from pathlib import Path

from amplitude_ai._config import AIConfig
from amplitude_ai.sessions.schema import PROPERTIES, SCHEMA, rows_of

DOCS = Path(__file__).parents[1] / "docs"


def test_pages_made_from_the_table_are_up_to_date():
    """The tables of the documentation are those of the code: ``python docs/generate.py`` changes nothing."""
    made = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    assert made
    for path, text in made.items():
        assert path.read_text() == text, path.name


def test_a_property_is_in_the_table_once():
    """No event has two rows of one name, and no property of every event is one of an event's own too."""
    for event in SCHEMA:
        names = [row.name for row in rows_of(event)]
        assert len(names) == len(set(names))


def test_flags_are_options():
    """Each flag named in the table is an option of AIConfig that is on by default."""
    assert {row.flag for row in PROPERTIES} - {""} <= vars(AIConfig()).keys()
    assert all(getattr(AIConfig(), row.flag) is True for row in PROPERTIES if row.flag)
