"""Statements of users: whatever a value holds, PostgreSQL gets it as it is, and nothing else."""

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svault.engines.database.statements import filled, statements_field
from svault.errors import BadRequestError
from svault.logical import Fields

VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=15)
EVIL = "'; DROP TABLE app.orders; -- \\\" $$"


@pytest.fixture(scope="module")
def session(postgresql):
    """A connection of the administrator."""
    with psycopg.connect(postgresql.server.url(), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "place", ["'{{password}}'", "E'{{password}}'", "{{password}}", "$$x$$ || '{{password}}'", "e'\\'' || '{{ password }}'"]
)
@settings(max_examples=60)
@given(value=VALUES)
def test_a_text_reaches_the_database_unchanged(session, place, value):
    (statement,) = filled([f"SELECT {place}"], {"password": value})
    (got,) = session.execute(statement.encode()).fetchone()
    assert got.removeprefix("x").removeprefix("'") == value if "||" in place else got == value


@pytest.mark.parametrize("place", ['"{{name}}"', "{{name}}", '"{{ username }}"'])
@settings(max_examples=60)
@given(value=NAMES)
def test_a_name_reaches_the_database_unchanged(session, place, value):
    (statement,) = filled([f"SELECT 1 AS {place}"], {"name": value, "username": value})
    assert session.execute(statement.encode()).description[0].name == value


def test_a_value_ends_no_text_of_a_block_of_code(session):
    statement = "DO $code$ BEGIN PERFORM set_config('app.told', '{{name}}', false); END $code$"
    session.execute(filled([statement], {"name": "o'neil \\"})[0].encode())
    assert session.execute("SELECT current_setting('app.told')").fetchone() == ("o'neil \\",)
    with pytest.raises(BadRequestError, match="cannot stand"):
        filled([statement], {"name": EVIL})


def test_what_is_no_place_stays_as_it_is():
    statement = "SELECT '{{other}}' -- {{name}}\n/* '{{password}}' */ {{}}"
    assert filled([statement], {"name": "n", "password": "p"}) == [statement]


def test_a_value_with_a_nul_is_refused():
    with pytest.raises(BadRequestError):
        filled(["SELECT '{{name}}'"], {"name": "a\0b"})


@pytest.mark.parametrize(
    ("sent", "statements"),
    [
        ("GRANT a, b TO c; SELECT 1", ["GRANT a, b TO c; SELECT 1"]),
        (["one", "", " ", "two"], ["one", "two"]),
        ('["one", "two"]', ["one", "two"]),
        ("[not json", ["[not json"]),
        (None, []),
        ("", []),
    ],
)
def test_statements_are_taken_in_each_form_that_clients_send(sent, statements):
    assert statements_field(Fields({"creation_statements": sent}), "creation_statements") == statements


@pytest.mark.parametrize("sent", [7, {"a": 1}, [1], "[1]"])
def test_what_are_no_statements_is_refused(sent):
    with pytest.raises(BadRequestError, match="creation_statements"):
        statements_field(Fields({"creation_statements": sent}), "creation_statements")
