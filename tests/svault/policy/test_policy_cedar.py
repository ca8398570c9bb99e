"""Cedar beside the ACL: what is asked, what is refused and why, and that a broken policy never gets in."""

import asyncio
import json
from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mounted import START, Entries
from svault.barrier.view import View
from svault.errors import BadRequestError, DamagedStorageError
from svault.logical import Identity
from svault.policy.cedar import MAX_KEPT, CedarPolicies
from svault.policy.cedar_request import CedarRequest, Principal
from svault.policy.cedar_statements import MAX_NESTING, MAX_STATEMENT_TEXT

pytestmark = pytest.mark.anyio
ANA = Principal(
    Identity(entity_id="ana-1", display_name="userpass-ana", policies=("default", "dev"), metadata={"team": "red"}), ("staff",)
)
MACHINE = Principal(Identity(display_name="approle", accessor="accessor-1"))


def asked(path: str = "secret/data/app", action: str = "read", principal: Principal = ANA, **more: Any) -> CedarRequest:
    return CedarRequest(principal, action, path, **{"mount": "secret/", "kind": "kv", "time": START, **more})


async def test_without_a_policy_the_acl_decides_alone(cedar: CedarPolicies):
    decision = cedar.decide(asked())
    assert decision.is_allowed
    assert not decision.is_asked
    assert not cedar.has_policies


async def test_what_no_policy_permits_is_refused(cedar: CedarPolicies):
    await cedar.put("dev", 'permit(principal, action == Vault::Action::"read", resource);')
    assert cedar.decide(asked()).is_allowed
    refused = cedar.decide(asked(action="update"))
    assert not refused.is_allowed
    assert refused.why == "no Cedar policy permits it"


async def test_a_forbid_wins_and_is_named_with_its_annotations(cedar: CedarPolicies):
    await cedar.put("all", "permit(principal, action, resource);")
    await cedar.put("night", '@reason("closed") forbid(principal, action, resource) when { context.hour < 6 };')
    decision = cedar.decide(asked(time=START - START % 86400 + 3600))
    assert not decision.is_allowed
    (statement,) = decision.deciding
    assert (statement.id, statement.effect, statement.annotations) == ("night", "forbid", {"reason": "closed"})
    assert decision.why == "forbid by night"
    assert cedar.decide(asked(time=START - START % 86400 + 7 * 3600)).policies == ("all",)


@pytest.mark.parametrize(
    "condition",
    [
        'principal.policies.contains("dev")',
        'principal.groups.contains("staff")',
        'principal in Vault::Group::"staff"',
        'principal.hasTag("team") && principal.getTag("team") == "red"',
        'principal.display_name like "userpass-*"',
        'resource in Vault::Path::"secret/data/"',
        'resource in Vault::Path::"secret/"',
        'resource.segments.contains("app") && resource.path like "secret/data/*"',
        'resource.mount == "secret/" && resource.kind == "kv"',
        'context has remote_address && context.remote_address.isInRange(ip("10.0.0.0/8"))',
        "context.wrap_ttl >= 60 && context.tls_client && context.mfa && context.hour == 8 && context.weekday == 5",
    ],
)
async def test_a_policy_may_ask_about_all_of_the_request(cedar: CedarPolicies, condition: str):
    await cedar.put("p", f"permit(principal, action, resource) when {{ {condition} }};")
    request = asked(remote_address="10.1.2.3", wrap_ttl=60, has_client_certificate=True, has_mfa=True)
    decision = cedar.decide(request)
    assert decision.is_allowed, decision
    other = asked("sys/mounts", principal=MACHINE, mount="sys/", kind="system", remote_address="127.0.0.1", time=0)
    assert not cedar.decide(other).is_allowed


async def test_scopes_are_narrowed_down_without_changing_the_answer(cedar: CedarPolicies):
    await cedar.put(
        "one", 'permit(principal == Vault::Entity::"ana-1", action == Vault::Action::"read", resource == Vault::Path::"a");'
    )
    await cedar.put("token", 'permit(principal == Vault::Token::"accessor-1", action, resource in Vault::Path::"b/");')
    await cedar.put("typed", 'permit(principal is Vault::Token, action in [Vault::Action::"list"], resource is Vault::Path);')
    table = [
        (asked("a"), True),
        (asked("a", "list"), False),
        (asked("a/b"), False),
        (asked("a", principal=MACHINE), False),
        (asked("a", "list", MACHINE), True),
        (asked("b/c/d", "delete", MACHINE), True),
        (asked("b/c/d", "delete"), False),
    ]
    assert [cedar.decide(request).is_allowed for request, _ in table] == [is_allowed for _, is_allowed in table]


async def test_an_entity_is_not_mistaken_for_a_token_of_the_same_id(cedar: CedarPolicies):
    await cedar.put("p", 'permit(principal == Vault::Entity::"accessor-1", action, resource);')
    assert not cedar.decide(asked(principal=MACHINE)).is_allowed


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b", 'x" || true', "\u0000", "é/ü", ""])
async def test_a_path_is_data_and_never_cedar(cedar: CedarPolicies, name: str):
    await cedar.put("p", 'permit(principal, action, resource == Vault::Path::"secret/data/app");')
    assert not cedar.decide(asked(name)).is_allowed
    await cedar.put("p", "permit(principal, action, resource);")
    assert cedar.decide(asked(name)).is_allowed


async def test_a_policy_that_fails_while_it_is_evaluated_refuses(cedar: CedarPolicies):
    await cedar.put("all", "permit(principal, action, resource);")
    await cedar.put("sum", "forbid(principal, action, resource) when { context.wrap_ttl * 9223372036854775807 == 1 };")
    assert cedar.decide(asked(wrap_ttl=1)).is_allowed
    decision = cedar.decide(asked(wrap_ttl=2))
    assert not decision.is_allowed
    assert decision.why.startswith("a Cedar policy failed: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'policy' parameter not supplied or empty"),
        ("// nothing", "'policy' parameter not supplied or empty"),
        ("permit(principal,action", "failed to parse Cedar policy: unexpected end of input"),
        ("permit(principal == ?principal, action, resource);", "failed to parse Cedar policy: templates"),
        ('permit(principal, action, resource) when { principal.nmae == "x" };', "attribute `nmae` on entity type `Vault::"),
        ('permit(principal, action == Vault::Action::"red", resource);', 'unrecognized action `Vault::Action::"red"`'),
        ("permit(principal, action, resource) when { context.remote_address.isLoopback() };", "optional attribute"),
        (
            "permit(principal, action, resource) when { " + "(" * 100 + "true" + ")" * 100 + " };",
            f"nested deeper than {MAX_NESTING}",
        ),
        ("permit(principal, action, resource) when { " + "if true then true else " * 100 + "true };", "nested deeper than"),
        ("permit(principal, action, resource) when { " + "true && " * 200 + "true };", "too many operators in a row"),
        ("permit(principal, action, resource) when { " + "true && " * 9000 + "true };", f"longer than {MAX_STATEMENT_TEXT}"),
    ],
)
async def test_a_policy_that_is_not_sound_is_refused_with_a_sentence(cedar: CedarPolicies, text: str, sentence: str):
    with pytest.raises(BadRequestError) as caught:
        await cedar.put("p", text)
    assert any(sentence in error for error in caught.value.errors), caught.value.errors
    assert not cedar.has_policies


@pytest.mark.parametrize("name", ["", "a/b", "..", "UP CASE", "n" * 200, "a\n"])
async def test_a_name_of_other_signs_is_refused(cedar: CedarPolicies, name: str):
    with pytest.raises(BadRequestError):
        await cedar.put(name, "permit(principal, action, resource);")


async def test_policies_survive_a_restart_in_one_text_with_several_statements(cedar: CedarPolicies, entries: Entries):
    text = 'permit(principal, action, resource);\n@id("second") forbid(principal, action == Vault::Action::"delete", resource);'
    await cedar.put("Both", text)
    await cedar.put("both", text)
    again = CedarPolicies(View(entries, "sys/cedar/"))
    await again.start()
    kept = again.get("BOTH")
    assert kept is not None
    assert (kept.policy, kept.version, again.names()) == (text, 2, ["both"])
    assert again.decide(asked(action="delete")).policies == ("both#1",)


async def test_a_damaged_policy_is_named_and_nothing_is_allowed_silently(entries: Entries):
    view = View(entries, "sys/cedar/")
    await view.write("bad", {"policy": "permit(", "version": 1})
    with pytest.raises(DamagedStorageError, match="'bad'"):
        await CedarPolicies(view).start()


async def test_whoever_forbids_without_permitting_is_warned(cedar: CedarPolicies):
    (warning,) = await cedar.put("p", "forbid(principal, action, resource) when { context.hour < 6 };")
    assert "every request is refused" in warning
    assert not cedar.decide(asked()).is_allowed
    assert await cedar.put("q", "permit(principal, action, resource);") == []
    assert await cedar.delete("p") == []
    assert await cedar.delete("p") == []
    assert cedar.decide(asked()).is_allowed
    await cedar.delete("q")
    assert not cedar.decide(asked()).is_asked


async def test_what_is_remembered_does_not_grow_without_end(cedar: CedarPolicies):
    await cedar.put("p", "permit(principal, action, resource);")
    for number in range(MAX_KEPT + 20):
        assert cedar.decide(asked(f"secret/data/{number}")).is_allowed
    assert len(cedar._decisions) == MAX_KEPT
    assert len(cedar._principals) == len(cedar._sets) == 1


async def test_a_remembered_answer_ends_with_the_hour_and_with_a_change_of_who_asks_or_of_a_policy(cedar: CedarPolicies):
    await cedar.put("p", 'permit(principal, action, resource) when { context.hour == 8 && principal.groups.contains("staff") };')
    assert cedar.decide(asked()).is_allowed
    assert cedar.decide(asked(time=START + 60)) is cedar.decide(asked())
    assert not cedar.decide(asked(time=START + 3600)).is_allowed
    assert not cedar.decide(asked(principal=Principal(ANA.identity, ()))).is_allowed
    await cedar.put("q", "forbid(principal, action, resource);")
    assert not cedar.decide(asked()).is_allowed


SCOPES = st.tuples(
    st.sampled_from(["permit", "forbid"]),
    st.sampled_from(
        [
            "principal",
            'principal == Vault::Entity::"ana-1"',
            'principal == Vault::Token::"accessor-1"',
            'principal in Vault::Group::"staff"',
            "principal is Vault::Token",
            'principal == Vault::Entity::"accessor-1"',
        ],
    ),
    st.sampled_from(
        [
            "action",
            'action == Vault::Action::"read"',
            'action in [Vault::Action::"list", Vault::Action::"update"]',
            'action in Vault::Action::"list"',
        ]
    ),
    st.sampled_from(
        [
            "resource",
            'resource == Vault::Path::"a/b"',
            'resource in Vault::Path::"a/"',
            'resource == Vault::Path::"c"',
            "resource is Vault::Path",
            'resource is Vault::Path in Vault::Path::"a/"',
        ]
    ),
)
REQUESTS = [
    asked(path, action, principal) for path in ("a/b", "a/c", "c") for action in ("read", "list") for principal in (ANA, MACHINE)
]


@given(st.lists(SCOPES, min_size=1, max_size=8))
def test_leaving_out_what_cannot_apply_never_changes_a_decision(scopes: list[tuple[str, str, str, str]]):
    texts = [f"{effect}({principal}, {action}, {resource});" for effect, principal, action, resource in scopes]

    async def ours() -> list[bool]:
        policies = CedarPolicies(View(Entries(), "sys/cedar/"))
        for number, text in enumerate(texts):
            await policies.put(f"p{number}", text)
        return [policies.decide(request).is_allowed for request in REQUESTS]

    def whole(request: CedarRequest) -> bool:
        entities = json.loads(request.principal.entities()) + json.loads(request.resource())
        return bool(cedarpy.is_authorized(request.question(request.context()), "\n".join(texts), entities).allowed)

    assert asyncio.run(ours()) == [whole(request) for request in REQUESTS]
