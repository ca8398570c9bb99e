"""Policies in HCL and JSON: what is read, what is refused and with which words."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svault.errors import BadRequestError
from svault.policy.hcl import MAX_DEPTH
from svault.policy.model import Capability
from svault.policy.parse import MAX_RULES, MAX_TEXT, parse_policy


def refused(text: str) -> str:
    with pytest.raises(BadRequestError) as caught:
        parse_policy("p", text)
    assert caught.value.http_status == 400
    (sentence,) = caught.value.errors
    assert sentence.startswith("failed to parse policy: ")
    return sentence.removeprefix("failed to parse policy: ")


def test_all_fields_of_a_rule_are_read():
    text = """
    name = "everything" # the name in the text is not used
    path "/secret/*" { // a leading slash is cut off
      comment = "read and write"
      capabilities = ["create", "patch"]
      policy = "read"
      allowed_parameters = { "Key" = ["a", 1, true, 2.5, ["x"], { "y" = 1 }] "*" = [] }
      denied_parameters = { "no" = [] }
      required_parameters = ["must"]
      min_wrapping_ttl = 90 max_wrapping_ttl = "1h"
      expiration = "2030-01-01T00:00:00Z"
    }
    """
    (rule,) = parse_policy("p", text).rules
    assert rule.path == "secret/*"
    assert rule.capabilities == Capability.CREATE | Capability.PATCH | Capability.READ | Capability.LIST
    assert rule.allowed == {"key": ("a", 1, True, 2.5, ["x"], {"y": 1}), "*": ()}
    assert rule.denied == {"no": ()}
    assert rule.required == ("must",)
    assert (rule.min_wrapping_ttl, rule.max_wrapping_ttl, rule.expires) == (90, 3600, 1893456000)


def test_deny_leaves_no_other_capability():
    (rule,) = parse_policy("p", 'path "a" { capabilities = ["read", "deny", "sudo"] }').rules
    assert rule.capabilities == Capability.DENY


def test_texts_know_escapes_and_heredocs():
    text = 'path "a\\"b\\\\\\u00e9\\x41\\101" { comment = <<-END\n   one\n   two\n   END\n policy = "deny" }'
    (rule,) = parse_policy("p", text).rules
    assert rule.path == 'a"b\\éAA'


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}+"), max_size=20), st.booleans()))
def test_a_policy_in_json_is_read_as_json_says(paths: dict[str, bool]):
    document = {"path": {path: {"capabilities": ["read"] if is_read else ["list"]} for path, is_read in paths.items()}}
    rules = parse_policy("p", json.dumps(document)).rules
    read = [(path.removeprefix("/"), Capability.READ if is_read else Capability.LIST) for path, is_read in paths.items()]
    assert [(rule.path, rule.capabilities) for rule in rules] == read


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_400(text: str):
    with suppress(BadRequestError):
        parse_policy("p", text)


@given(
    st.lists(
        st.sampled_from(
            ['path "a" ', "path", "{", "}", "[", "]", "=", ",", '"b"', "5", "capabilities", "<<E\n", "\n", "*/", "/*"]
        )
    )
)
def test_any_order_of_words_is_a_policy_or_a_400(words: list[str]):
    with suppress(BadRequestError):
        parse_policy("p", " ".join(words))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('path "a" { capabilities = ["zap"] }', 'path "a": invalid capability "zap"'),
        (
            'path "a" {\n capabilities = ["read"]\n bogus = 1\n}',
            'path "a": 1 error occurred:\n\t* invalid key "bogus" on line 3\n\n',
        ),
        ('path "a" {\n\n capabilities = ["read" }', "At 3:25: error parsing list, expected comma or list end, got: }"),
        ('path "a" {', "At 1:11: object expected closing RBRACE got: EOF"),
        ('\n\npath "a', "At 3:6: literal not terminated"),
        ("/* never closed", "At 1:1: comment not terminated"),
        ('path "a" { comment = <<END\nx\n}', "At 1:22: heredoc not terminated"),
        ('path "a" {} }', "At 1:13: a closing brace without an opening one"),
        ('path "a" { comment = "\\q" }', "At 1:22: unknown escape sequence in the text"),
        ('{"path": {"a": {"comment": "\\ud800"}}}', "At 1:28: half of a surrogate pair in the text"),
        ('path "a" "b" {}', "on line 1: a path has one label, not 2"),
        ('path "a" { policy = "read"\n policy = "write" }', 'path "a": the argument "policy" on line 2 was already set'),
        ('path "a" { pagination_limit = 3 }', 'path "a": 1 error occurred:\n\t* invalid key "pagination_limit" on line 1\n\n'),
        ('path "a" { min_wrapping_ttl = "soon" }', 'path "a": error parsing min_wrapping_ttl: not a duration, on line 1'),
        ('path "a/+*" {}', "path \"a/+*\": invalid use of wildcards ('+*' is forbidden)"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, sentence: str):
    assert refused(text) == sentence


def test_json_that_is_not_closed_is_refused():
    assert "RBRACE" in refused('{"path": {"a": {"policy": "read"}}')
    assert "not valid" in refused('{"path": {"a": {"policy": "read",}}}')


def test_a_path_that_stands_twice_in_json_keeps_both_rules():
    rules = parse_policy("p", '{"path": {"a": {"policy": "read"}, "a": {"policy": "deny"}}}').rules
    assert [rule.capabilities for rule in rules] == [Capability.READ | Capability.LIST, Capability.DENY]


@pytest.mark.parametrize("opening", ["[", "{a="])
def test_deep_nesting_is_refused(opening: str):
    assert f"nested deeper than {MAX_DEPTH} levels" in refused('path "a" { denied_parameters = ' + opening * 100_000)


def test_a_huge_policy_is_refused():
    assert f"longer than {MAX_TEXT}" in refused("#" * (MAX_TEXT + 1))
    assert f"more than {MAX_RULES} paths" in refused('path "a" {}\n' * (MAX_RULES + 1))


@pytest.mark.parametrize(
    "text", ['path "a" { comment = <<E\n' + "E x\n" * 30_000, '"' * 100_000, "/*" * 50_000, "<<-a\n" * 20_000]
)
def test_text_made_to_be_slow_is_refused_before_the_test_times_out(text: str):
    refused(text)
