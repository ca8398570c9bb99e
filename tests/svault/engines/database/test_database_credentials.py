"""Names and passwords of users that the vault makes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.engines.database.credentials import DEFAULT_TEMPLATE, check_template, new_password, new_username
from svault.errors import BadRequestError


@given(st.text(max_size=80), st.text(max_size=80), st.floats(0, 2**40))
def test_a_name_is_safe_and_fits_whatever_the_client_and_the_role_are_called(display_name, role, now):
    name = new_username(DEFAULT_TEMPLATE, display_name, role, now)
    assert re.fullmatch(r"v-[A-Za-z0-9_-]{0,8}-[A-Za-z0-9_-]{0,8}-[A-Za-z0-9]{20}-\d{10,13}", name)
    assert len(name) <= 63


def test_a_name_that_postgresql_would_cut_off_is_refused():
    with pytest.raises(BadRequestError, match="64 bytes is longer than PostgreSQL's 63"):
        new_username("{{.RoleName}}{{random 8}}", "", "x" * 56, 0)


def test_no_two_names_or_passwords_are_alike():
    assert len({new_username(DEFAULT_TEMPLATE, "root", "app", 1) for _ in range(1000)}) == 1000
    assert len({new_password() for _ in range(1000)}) == 1000


def test_a_password_has_letters_of_both_cases_digits_and_a_dash():
    for _ in range(200):
        password = new_password()
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{19}", password)
        assert all(re.search(kind, password) for kind in ("[a-z]", "[A-Z]", "[0-9]", "-"))


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("v-{{.RoleName}}-{{random 8}}", r"v-My-role-[A-Za-z0-9]{8}"),
        ("{{ .DisplayName | truncate 3 | uppercase }}_{{random 12 | lowercase}}", r"OPS_[a-z0-9]{12}"),
        ("{{random 30 | truncate 10}}{{unix_time}}", r"[A-Za-z0-9]{10}1700000000"),
    ],
)
def test_a_template_makes_a_name(template, name):
    check_template(template)
    assert re.fullmatch(name, new_username(template, "ops team", "My role", 1_700_000_000.5))


@pytest.mark.parametrize(
    "template",
    [
        "{{bad",
        "{{random 20 | sha256}}",
        '{{printf "%s" (random 20)}}',
        "{{random 20}}'; DROP",
        "{{.RoleName}}",
        "{{random 7}}",
        "{{random 20 | truncate 7}}",
        "{{random 64}}",
        "",
    ],
)
def test_a_template_that_is_not_understood_or_not_safe_is_refused(template):
    with pytest.raises(BadRequestError, match="username_template"):
        check_template(template)
