"""Secret handles: their text, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratumops.errors import InvalidInputError
from stratumops.handles import SecretHandle, is_handle, typed_handle

printable = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)
segments = printable.map(lambda text: text.replace("/", "")).filter(lambda text: text not in {"", ".", ".."})


@given(
    path=st.lists(segments, min_size=2, max_size=4).map("/".join),
    field=printable,
    version=st.none() | st.integers(1, 10**18 - 1),
)
def test_a_handle_is_parsed_back_from_its_text(path: str, field: str, version: int | None):
    handle = SecretHandle(path, field, version)
    text = str(handle)
    assert SecretHandle.parse(text) == handle
    assert is_handle(text)
    assert text.isascii()
    assert " " not in text


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("vault:secret/app#password", SecretHandle("secret/app", "password")),
        ("vault:team/kv/app/db#pass%20word", SecretHandle("team/kv/app/db", "pass word")),
        ("vault:secret/app?version=3#password", SecretHandle("secret/app", "password", 3)),
        ("vault:secret/app#password?version=3", SecretHandle("secret/app", "password", 3)),
        ("vault:secret/a%23b#c%3Fd", SecretHandle("secret/a#b", "c?d")),
    ],
)
def test_the_forms_that_are_understood(text: str, handle: SecretHandle):
    assert SecretHandle.parse(text) == handle


def test_a_handle_is_written_in_one_way():
    assert str(SecretHandle.parse("vault:secret/app#password?version=3")) == "vault:secret/app?version=3#password"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vault:",
        "vault:secret",
        "vault:secret#password",
        "vault:secret/app",
        "vault:secret/app#",
        "vault:/app#password",
        "vault:secret//app#password",
        "vault:secret/../app#password",
        "vault:secret/%2e%2e/app#password",
        "vault:secret/a%2Fb#password",
        "vault:secret/app#pass word",
        "vault:secret/app#a#b",
        "vault:secret/app?version=0#password",
        "vault:secret/app?version=x#password",
        "vault:secret/app?version=1#password?version=2",
        "vault:secret/app?other=1#password",
        "vault:secret/app#%zz",
        "vault:secret/app#%ff",
        "vault:secret/app#a%00b",
        "vault:secret/app#a\n",
        "Vault:secret/app#password",
        "vault:v1:c2VjcmV0",
        "secret/app#password",
        "vault:secret/" + "a" * 1100 + "#password",
    ],
)
def test_what_is_no_handle_is_refused_without_quoting_it(text: str):
    assert not is_handle(text)
    with pytest.raises(InvalidInputError) as refused:
        SecretHandle.parse(text)
    assert refused.value.hint
    assert not text or text not in refused.value.message


@given(st.text(max_size=60))
def test_any_text_is_a_handle_or_refused(text: str):
    if is_handle("vault:" + text):
        handle = SecretHandle.parse("vault:" + text)
        assert SecretHandle.parse(str(handle)) == handle


def test_a_person_may_leave_out_the_scheme():
    assert (
        typed_handle("secret/app#password") == typed_handle("vault:secret/app#password") == SecretHandle("secret/app", "password")
    )
    assert typed_handle("secret/app?version=3#password") == SecretHandle("secret/app", "password", 3)
    for text in ("secret/app", "app#password", "transit/keys/a", "#", "", "secret//a#b"):
        assert typed_handle(text) is None
