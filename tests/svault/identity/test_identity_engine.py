"""Logins, policies through groups, templates, restarts and input that nobody should send."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mounted import Mounted, mounted
from svault.identity import IdentityEngine
from svault.identity.base import MAX_NAME, MAX_PAIRS
from svault.identity.model import Group

pytestmark = pytest.mark.anyio
USERPASS, OTHER = "auth_userpass_1a2b3c4d", "auth_userpass_5e6f7a8b"


async def made(identity: Mounted, path: str, **body: Any) -> str:
    """Make an entity or group; its id."""
    status, data = await identity.call("POST", path, body)
    assert status == 200, data
    return str(data["id"])


async def test_the_first_login_makes_an_entity_and_the_next_finds_it(identity: Mounted, engine: IdentityEngine):
    first = await engine.entity_for_login(USERPASS, "ana", {"k": "v"})
    commits = identity.entries.commits
    assert await engine.entity_for_login(USERPASS, "Ana", {"k": "v"}) is first
    assert identity.entries.commits == commits, "a login that changes nothing writes nothing"
    elsewhere = await engine.entity_for_login(OTHER, "ana", {})
    assert elsewhere.id != first.id
    alias = first.alias_at(USERPASS)
    assert alias is not None
    assert (alias.name, alias.metadata) == ("ana", {"k": "v"})


async def test_a_login_brings_new_metadata_of_its_alias(engine: IdentityEngine):
    before = await engine.entity_for_login(USERPASS, "ana", {"k": "v"})
    after = await engine.entity_for_login(USERPASS, "ana", {"k": "w"})
    assert before.id == after.id
    values = engine.template_values(after.id)
    assert values is not None
    assert values.aliases[USERPASS].metadata == {"k": "w"}


async def test_many_first_logins_at_once_make_one_entity(identity: Mounted, engine: IdentityEngine):
    found = await asyncio.gather(*(engine.entity_for_login(USERPASS, "ana", {}) for _ in range(50)))
    assert len({entity.id for entity in found}) == 1
    assert len(engine.registry.entities) == 1


async def test_a_login_of_an_alias_that_was_made_before_finds_its_entity(identity: Mounted, engine: IdentityEngine):
    entity = await made(identity, "entity", name="ana", policies=["own"])
    await made(identity, "entity-alias", name="ana@example", mount_accessor=USERPASS, canonical_id=entity)
    assert (await engine.entity_for_login(USERPASS, "ana@example", {})).id == entity


async def test_policies_come_from_the_entity_and_all_groups_above(identity: Mounted, engine: IdentityEngine):
    entity = await made(identity, "entity", name="ana", policies=["own", "Both"])
    inner = await made(identity, "group", name="inner", member_entity_ids=[entity], policies=["inner", "both"])
    middle = await made(identity, "group", name="middle", member_group_ids=[inner])
    await made(identity, "group", name="top", member_group_ids=[middle], policies=["top"])
    await made(identity, "group", name="aside", policies=["aside"])
    assert engine.policies_of(entity) == (["both", "own"], ["both", "inner", "top"])
    assert engine.group_names(entity) == ("inner", "middle", "top")
    await identity.call("DELETE", "group/name/middle")
    assert engine.policies_of(entity) == (["both", "own"], ["both", "inner"])


async def test_a_disabled_or_unknown_entity_brings_no_policies(identity: Mounted, engine: IdentityEngine):
    entity = await made(identity, "entity", name="ana", policies=["own"])
    await identity.call("POST", f"entity/id/{entity}", {"disabled": True})
    assert engine.policies_of(entity) == ([], [])
    assert engine.policies_of("nobody") == ([], [])
    assert engine.template_values("nobody") is None


async def test_template_values_are_the_same_until_something_about_the_entity_changes(identity: Mounted, engine: IdentityEngine):
    entity = await made(identity, "entity", name="ana", metadata={"team": "red"})
    before = engine.template_values(entity)
    assert before is not None
    assert engine.template_values(entity) is before
    await engine.entity_for_login(USERPASS, "somebody else", {})
    assert engine.template_values(entity) == before
    await made(identity, "group", name="g", member_entity_ids=[entity], metadata={"m": "x"})
    after = engine.template_values(entity)
    assert after is not None
    assert after.revision > before.revision
    assert [(group.name, group.metadata) for group in after.groups] == [("g", {"m": "x"})]


async def test_external_groups_follow_what_the_login_says(identity: Mounted, engine: IdentityEngine):
    group = await made(identity, "group", name="admins", type="external", policies=["admin"])
    await made(identity, "group-alias", name="cn=Admins", mount_accessor=USERPASS, canonical_id=group)
    entity = await engine.entity_for_login(USERPASS, "ana", {}, ["cn=admins", "cn=others"])
    assert engine.policies_of(entity.id) == ([], ["admin"])
    await engine.entity_for_login(USERPASS, "ana", {})
    assert engine.policies_of(entity.id) == ([], ["admin"]), "a mount that knows no groups changes none"
    await engine.entity_for_login(USERPASS, "ana", {}, [])
    assert engine.policies_of(entity.id) == ([], [])


async def test_a_merge_moves_aliases_policies_and_memberships(identity: Mounted, engine: IdentityEngine):
    target = await made(identity, "entity", name="target", policies=["t"])
    source = await engine.entity_for_login(USERPASS, "ana", {})
    await identity.call("POST", f"entity/id/{source.id}", {"policies": ["s"]})
    await made(identity, "group", name="g", member_entity_ids=[source.id], policies=["g"])
    assert await identity.call("POST", "entity/merge", {"from_entity_ids": [source.id], "to_entity_id": target}) == (204, None)
    assert engine.policies_of(target) == (["s", "t"], ["g"])
    assert (await engine.entity_for_login(USERPASS, "ana", {})).id == target
    assert engine.entity(source.id) is None


async def test_a_merge_with_two_aliases_at_one_mount_asks_which_to_keep(identity: Mounted, engine: IdentityEngine):
    target = await engine.entity_for_login(USERPASS, "one", {})
    source = await engine.entity_for_login(USERPASS, "two", {})
    body = {"from_entity_ids": [source.id], "to_entity_id": target.id}
    status, errors = await identity.call("POST", "entity/merge", body)
    assert status == 400
    assert "conflicting_alias_ids_to_keep" in errors[0]
    keep = source.aliases[0].id
    assert (await identity.call("POST", "entity/merge", {**body, "conflicting_alias_ids_to_keep": keep}))[0] == 204
    assert (await engine.entity_for_login(USERPASS, "two", {})).id == target.id
    assert (await engine.entity_for_login(USERPASS, "one", {})).id != target.id


async def test_everything_is_there_after_a_restart(identity: Mounted, engine: IdentityEngine):
    entity = await engine.entity_for_login(USERPASS, "ana", {"k": "v"})
    await identity.call("POST", f"entity/id/{entity.id}", {"policies": ["own"], "metadata": {"team": "red"}})
    inner = await made(identity, "group", name="inner", member_entity_ids=[entity.id], policies=["g"])
    external = await made(identity, "group", name="ext", type="external")
    await made(identity, "group-alias", name="ldap", mount_accessor=OTHER, canonical_id=external)
    await made(identity, "group", name="outer", member_group_ids=[inner])
    paths = [f"entity/id/{entity.id}", "group/name/inner", "group/name/outer", "group/name/ext"]
    before = [await identity.call("GET", path) for path in paths]
    again = await identity.restarted(type(engine))
    assert isinstance(again.engine, IdentityEngine)
    again.engine.mount_of = engine.mount_of
    assert [await again.call("GET", path) for path in paths] == before
    assert again.engine.policies_of(entity.id) == engine.policies_of(entity.id)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("entity", {"name": "x" * (MAX_NAME + 1)}),
        ("entity", {"name": "a\0b"}),
        ("entity", {"name": ["x"]}),
        ("entity", {"metadata": "x"}),
        ("entity", {"metadata": {"k": {"deep": 1}}}),
        ("entity", {"metadata": {"": "v"}}),
        ("entity", {"metadata": {str(number): "" for number in range(MAX_PAIRS + 1)}}),
        ("entity", {"metadata": {"k": "v" * 5000}}),
        ("entity", {"policies": [{"a": 1}]}),
        ("entity", {"policies": ["ROOT"]}),
        ("entity", {"disabled": "maybe"}),
        ("group", {"member_entity_ids": ["nobody"]}),
        ("group", {"member_group_ids": ["nobody"]}),
        ("group", {"type": 5}),
        ("lookup/entity", {"id": {"a": 1}}),
        ("entity/merge", {"from_entity_ids": {"a": 1}, "to_entity_id": "x"}),
    ],
)
async def test_bad_input_is_a_400_and_changes_nothing(identity: Mounted, path: str, body: dict[str, Any]):
    status, errors = await identity.call("POST", path, body)
    assert status == 400
    assert errors
    assert identity.entries.commits == 0


async def test_a_group_cannot_be_its_own_member_through_others(identity: Mounted):
    one = await made(identity, "group", name="one")
    two = await made(identity, "group", name="two", member_group_ids=[one])
    three = await made(identity, "group", name="three", member_group_ids=[two])
    for members in ([one], [two], [three]):
        assert (await identity.call("POST", f"group/id/{one}", {"member_group_ids": members}))[0] == 400


@given(st.lists(st.frozensets(st.integers(0, 9), max_size=4), min_size=1, max_size=10), st.frozensets(st.integers(0, 9)))
def test_an_entity_belongs_to_the_groups_that_can_be_reached(below: list[frozenset[int]], direct: frozenset[int]):
    # Group n has members with smaller numbers only, so there is no circle.
    groups = {number: {child for child in children if child < number} for number, children in enumerate(below)}
    expected = {number for number in direct if number in groups}
    for number, children in groups.items():
        if children & expected:
            expected.add(number)

    async def found() -> set[int]:
        engine = (await mounted(IdentityEngine)).engine
        assert isinstance(engine, IdentityEngine)
        saved = [
            Group(str(number), f"g{number}", 0, 0, entities=("e",) if number in direct else (), groups=tuple(map(str, children)))
            for number, children in groups.items()
        ]
        await engine.registry.save(groups=saved)
        return {int(group.id) for part in engine.registry.groups_of("e") for group in part}

    assert asyncio.run(found()) == expected
