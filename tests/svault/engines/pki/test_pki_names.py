"""Names: globs, labels and what huge ones cost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.engines.pki.names import ascii_host, is_host, is_name_allowed, matches_glob
from svault.engines.pki.other_names import der_text, text_of
from svault.engines.pki.roles import Role
from svault.errors import BadRequestError

LETTERS = st.text("ab*.", max_size=8)


@given(pattern=LETTERS, text=st.text("ab.", max_size=12))
def test_a_glob_is_what_its_regular_expression_says(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
    assert matches_glob(pattern, text) is expected


@given(name=st.from_regex(r"[a-zäöü]{1,20}(\.[a-zäöü]{1,20}){0,3}", fullmatch=True))
def test_international_names_come_back_from_their_ascii_form(name: str) -> None:
    labels = [
        one.removeprefix("xn--").encode().decode("punycode") if one.startswith("xn--") else one
        for one in ascii_host(name).split(".")
    ]
    assert ".".join(labels) == name


@given(text=st.text(max_size=400))
def test_the_text_of_an_other_name_comes_back(text: str) -> None:
    assert text_of(der_text(text)) == text


@pytest.mark.parametrize("name", ["a" * 64, "ä" * 1_000_000, ".".join(["a" * 60] * 5), "a..b", "", "xn--", "xn--99999999"])
def test_what_dns_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError, match="idna: invalid label"):
        ascii_host(name)


@pytest.mark.timeout(10)
def test_huge_names_cost_little() -> None:
    role = Role(allowed_domains=("*a*b*c*.example.com",), allow_glob_domains=True, enforce_hostnames=False)
    for name in ("ab" * 500_000, "a" * 1_000_000, "a." * 500_000, "*" * 500_000, "@" * 500_000, "a-" * 500_000 + "*"):
        assert not is_name_allowed(
            name,
            role,
        )
        assert not is_host(name + "!")
