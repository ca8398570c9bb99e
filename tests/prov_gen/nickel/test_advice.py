"""Help for Nickel's reports: its own notes where they help, ours where it has none."""

import pytest

from prov_gen.nickel.advice import advice
from prov_gen.nickel.diagnostics import Diagnostic


def test_a_note_of_nickels_wins_where_it_says_what_to_do() -> None:
    assert advice("unbound identifier `fo`", ["did you mean `foo`?"]) == "did you mean `foo`?"


@pytest.mark.parametrize("message", ["non serializable term", "non mergeable terms", "toml parse error: duplicate key"])
def test_a_note_that_only_says_where_does_not(message: str) -> None:
    assert advice(message, ["When exporting field `name`"]) == advice(message, []) != ""


def test_nothing_is_said_about_what_nothing_is_known_of() -> None:
    assert advice("something new", []) == ""


def test_a_name_with_braces_is_repeated_as_it_is() -> None:
    assert "add the field" in advice("missing field `{0}`", [])
    assert "{0}" in advice("missing field `{0}`", [])


def test_a_diagnostic_as_data_is_what_nickel_said() -> None:
    found = Diagnostic("error", "nickel_eval", "division by zero")
    assert found.fix
    assert "fix" not in found.as_dict()
