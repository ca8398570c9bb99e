"""Decisions: merging, conditions, root, and what the audit is told. Priorities are compared with OpenBao in another module."""

import pytest

from svault.logical import Operation
from svault.policy.acl import Acl
from svault.policy.model import Policy
from svault.policy.parse import parse_policy


def acl(*texts: str) -> Acl:
    return Acl([parse_policy(f"p{number}", text) for number, text in enumerate(texts)])


def test_the_root_policy_may_do_everything_but_not_among_others():
    root = Acl([Policy("root", ())])
    decision = root.decide(Operation.DELETE, "sys/anything")
    assert (decision.is_allowed, decision.is_root, decision.is_sudo) == (True, True, True)
    assert root.capabilities("x") == ["root"]
    among = Acl([Policy("root", ()), parse_policy("p", 'path "a" { policy = "read" }')])
    assert among.capabilities("x") == ["deny"]
    assert not among.decide(Operation.READ, "x").is_allowed


def test_nothing_is_allowed_without_a_rule():
    decision = acl().decide(Operation.READ, "secret/data/x")
    assert not decision.is_allowed
    assert decision.why == "no rule matches the path"


def test_deny_wins_over_the_same_path_in_another_policy():
    rules = acl('path "a/*" { policy = "write" }', 'path "a/*" { capabilities = ["deny"] }', 'path "a/*" { policy = "sudo" }')
    assert rules.capabilities("a/b") == ["deny"]
    decision = rules.decide(Operation.READ, "a/b")
    assert decision.why == "the rule 'a/*' of p1 does not allow read"


def test_the_policies_that_allow_it_are_named():
    rules = acl('path "a" { capabilities = ["read"] }', 'path "a" { capabilities = ["list"] }', 'path "a" { policy = "read" }')
    assert rules.decide(Operation.READ, "a").policies == ("p0", "p2")


def test_sudo_is_told_apart():
    rules = acl('path "sys/raw/*" { capabilities = ["read", "sudo"] } path "sys/x" { capabilities = ["read"] }')
    assert rules.decide(Operation.READ, "sys/raw/a").is_sudo
    assert not rules.decide(Operation.READ, "sys/x").is_sudo


@pytest.mark.parametrize(("wrap_ttl", "is_allowed"), [(0, False), (59, False), (60, True), (600, True), (601, False)])
def test_the_response_must_be_wrapped_within_the_limits(wrap_ttl: int, is_allowed: bool):
    rules = acl('path "a" { policy = "read" min_wrapping_ttl = "1m" max_wrapping_ttl = "10m" }')
    assert rules.decide(Operation.READ, "a", {}, wrap_ttl).is_allowed == is_allowed


def test_of_merged_limits_the_smaller_counts():
    rules = acl('path "a" { policy = "read" max_wrapping_ttl = 600 }', 'path "a" { policy = "read" max_wrapping_ttl = 60 }')
    assert rules.decide(Operation.READ, "a", {}, 60).is_allowed
    assert not rules.decide(Operation.READ, "a", {}, 61).is_allowed


def test_merged_parameters_allow_the_values_of_both():
    one = 'path "a" { policy = "write" allowed_parameters = { "k" = ["x"] "free" = ["1"] } }'
    other = 'path "a" { policy = "write" allowed_parameters = { "k" = ["y"] "free" = [] } }'
    rules = acl(one, other)
    for body in ({"k": "x"}, {"k": "y"}, {"free": "anything"}):
        assert rules.decide(Operation.UPDATE, "a", body).is_allowed
    assert not rules.decide(Operation.UPDATE, "a", {"k": "z"}).is_allowed


@pytest.mark.parametrize("value", [5, "5", 5.0])
def test_a_denied_number_is_denied_however_it_is_written(value: object):
    rules = acl('path "a" { policy = "write" denied_parameters = { "n" = [5] } }')
    assert not rules.decide(Operation.UPDATE, "a", {"n": value}).is_allowed
    assert rules.decide(Operation.UPDATE, "a", {"n": 6}).is_allowed


def test_a_refusal_names_the_parameter_and_not_its_value():
    rules = acl('path "a" { policy = "write" allowed_parameters = { "k" = ["x"] } }')
    why = rules.decide(Operation.UPDATE, "a", {"k": "hunter2-canary"}).why
    assert "'k'" in why
    assert "canary" not in why


def test_lists_and_deletes_are_not_asked_for_parameters():
    rules = acl('path "a" { capabilities = ["list", "delete", "read"] required_parameters = ["must"] }')
    assert rules.decide(Operation.LIST, "a").is_allowed
    assert rules.decide(Operation.DELETE, "a").is_allowed
    assert not rules.decide(Operation.READ, "a").is_allowed


def test_a_mount_is_seen_by_those_who_may_do_something_in_it():
    rules = acl(
        'path "secret/data/a" { policy = "read" } path "kv/+/b" { policy = "read" } path "de/*" { policy = "deny" } path "pk*" {}'
    )
    rules_of_all = acl('path "+/x" { policy = "read" }')
    assert [mount for mount in ("secret/", "kv/", "de/", "pki/", "sec/") if rules.allows_anything_below(mount)] == [
        "secret/",
        "kv/",
    ]
    assert rules_of_all.allows_anything_below("secret/")
    assert not rules_of_all.allows_anything_below("secret/deep/")
    assert acl('path "*" { policy = "read" }').allows_anything_below("any/")
