"""Policies as they are kept, changed, cached and filled in for an entity."""

import base64

import pytest

from mounted import Entries, MovedClock
from svault.barrier.view import View
from svault.errors import BadRequestError, PermissionDeniedError
from svault.logical import Operation
from svault.policy.store import MAX_COMPILED, PolicyStore
from svault.policy.templates import AliasValues, GroupValues, TemplateValues

pytestmark = pytest.mark.anyio
READ = 'path "{}" {{ capabilities = ["read"] }}'


def values(revision: int = 1, **metadata: str) -> TemplateValues:
    aliases = {"auth_userpass_1": AliasValues("alias-1", "ana", {"k": "from-mount"}, {"c": "own"})}
    groups = (GroupValues("group-1", "staff", {"m": "mm"}),)
    return TemplateValues("entity-1", "ana", metadata, aliases, groups, revision)


async def test_a_new_vault_has_the_default_policy_and_root(policies: PolicyStore):
    assert await policies.names() == ["default", "root"]
    acl = await policies.acl_for(["default"])
    assert acl.capabilities("auth/token/lookup-self") == ["read"]
    assert acl.capabilities("cubbyhole/x") == ["create", "delete", "list", "read", "update"]
    assert acl.capabilities("secret/data/x") == ["deny"]
    assert (await policies.acl_for(["root"])).is_root


async def test_a_policy_is_written_read_listed_and_deleted(policies: PolicyStore, clock: MovedClock):
    await policies.put("Team/App", READ.format("secret/*"))
    kept = await policies.get("team/app")
    assert kept is not None
    assert (kept.name, kept.policy, kept.version, kept.modified) == ("team/app", READ.format("secret/*"), 1, clock.now)
    assert await policies.names() == ["default", "team/app", "root"]
    await policies.delete("TEAM/APP")
    await policies.delete("team/app")
    assert await policies.get("team/app") is None


async def test_a_policy_in_base64_is_decoded(policies: PolicyStore):
    kept = await policies.put("a", base64.b64encode(READ.format("x").encode()).decode())
    assert kept.policy == READ.format("x")


async def test_what_every_vault_has_cannot_be_removed(policies: PolicyStore):
    for name in ("root", "default", "response-wrapping"):
        with pytest.raises(BadRequestError, match="cannot delete"):
            await policies.delete(name)
    for name in ("root", "response-wrapping"):
        with pytest.raises(BadRequestError, match="cannot update"):
            await policies.put(name, READ.format("x"))


async def test_a_changed_default_policy_survives_a_restart(policies: PolicyStore, entries: Entries, clock: MovedClock):
    await policies.put("default", READ.format("only/this"))
    again = PolicyStore(View(entries, "sys/policy/"), clock)
    await again.start()
    assert (await again.acl_for(["default"])).capabilities("cubbyhole/x") == ["deny"]
    assert (await again.acl_for(["default"])).capabilities("only/this") == ["read"]


@pytest.mark.parametrize("name", ["", "..", "a//b", "a/../b", "/a", "x\0y", "n" * 600])
async def test_a_name_that_cannot_be_kept_is_refused(policies: PolicyStore, name: str):
    with pytest.raises(BadRequestError):
        await policies.put(name, READ.format("x"))
    assert await policies.get(name) is None


async def test_a_broken_policy_changes_nothing(policies: PolicyStore):
    await policies.put("a", READ.format("x"))
    for text in ("", "path {", 'path "a" { capabilities = ["zap"] }'):
        with pytest.raises(BadRequestError):
            await policies.put("a", text)
    kept = await policies.get("a")
    assert kept is not None
    assert kept.version == 1


async def test_check_and_set_lets_one_writer_win(policies: PolicyStore):
    await policies.put("a", READ.format("x"), cas=-1, cas_required=True)
    with pytest.raises(BadRequestError, match="check-and-set parameter required for this call"):
        await policies.put("a", READ.format("y"))
    await policies.put("a", READ.format("y"), cas=1)
    with pytest.raises(BadRequestError, match="check-and-set parameter 1 did not match the current version 2"):
        await policies.put("a", READ.format("z"), cas=1)


async def test_a_change_is_seen_by_the_next_decision(policies: PolicyStore):
    await policies.put("a", READ.format("x"))
    before = await policies.acl_for(["a"])
    assert await policies.acl_for(["a"]) is before, "an unchanged Acl is not compiled again"
    await policies.put("a", READ.format("y"))
    assert (await policies.acl_for(["a"])).capabilities("x") == ["deny"]
    assert before.capabilities("x") == ["read"], "what was compiled never changes"
    await policies.delete("a")
    assert (await policies.acl_for(["a"])).capabilities("y") == ["deny"]


async def test_a_policy_and_a_rule_end_at_their_time(policies: PolicyStore, clock: MovedClock):
    await policies.put("a", READ.format("x"), expires=clock.now + 100)
    await policies.put("b", 'path "y" { policy = "read" expiration = "2027-01-15T08:01:00Z" }')
    assert (await policies.acl_for(["a", "b"])).capabilities("x") == ["read"]
    assert (await policies.acl_for(["a", "b"])).capabilities("y") == ["list", "read"]
    clock.now += 61
    assert (await policies.acl_for(["a", "b"])).capabilities("y") == ["deny"]
    clock.now += 61
    assert (await policies.acl_for(["a", "b"])).capabilities("x") == ["deny"]
    assert await policies.get("a") is None


async def test_compiled_policies_do_not_grow_without_end(policies: PolicyStore):
    for number in range(MAX_COMPILED + 50):
        await policies.acl_for(["default", f"missing-{number}"])
    assert len(policies._compiled) == MAX_COMPILED


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("s/{{identity.entity.id}}", "s/entity-1"),
        ("s/{{ identity.entity.name }}/*", "s/ana/deep/er"),
        ("s/{{identity.entity.metadata.team}}", "s/red"),
        ("s/{{identity.entity.aliases.auth_userpass_1.id}}", "s/alias-1"),
        ("s/{{identity.entity.aliases.auth_userpass_1.name}}-x", "s/ana-x"),
        ("s/{{identity.entity.aliases.auth_userpass_1.metadata.k}}", "s/from-mount"),
        ("s/{{identity.entity.aliases.auth_userpass_1.custom_metadata.c}}", "s/own"),
        ("s/{{identity.groups.ids.group-1.name}}", "s/staff"),
        ("s/{{identity.groups.names.staff.id}}/+", "s/group-1/any"),
        ("s/{{identity.groups.names.staff.metadata.m}}", "s/mm"),
        ("s/{{identity.entity.id}}/{{identity.entity.name}}", "s/entity-1/ana"),
    ],
)
async def test_a_template_is_filled_in_for_the_entity(policies: PolicyStore, template: str, path: str):
    await policies.put("t", READ.format(template))
    assert (await policies.acl_for(["t"], values(team="red"))).decide(Operation.READ, path).is_allowed
    assert not (await policies.acl_for(["t"])).decide(Operation.READ, path).is_allowed


@pytest.mark.parametrize(
    "directive",
    [
        "identity.entity",
        "identity.entity.metadata",
        "identity.entity.metadata.none",
        "identity.entity.metadata.empty",
        "identity.entity.aliases.auth_other.name",
        "identity.groups.names.staff",
        "identity.groups.names.other.id",
        "time.now",
        "nonsense",
    ],
)
async def test_a_template_without_a_value_drops_its_rule_only(policies: PolicyStore, directive: str):
    await policies.put("t", READ.format(f"s/{{{{{directive}}}}}*") + READ.format("kept"))
    acl = await policies.acl_for(["t"], values(empty=""))
    assert acl.capabilities("s/x") == ["deny"]
    assert acl.capabilities("kept") == ["read"]


@pytest.mark.parametrize("value", ["*", "a*", "+", "a/b", "../x", "a+b"])
async def test_a_value_that_could_widen_a_rule_refuses_everything(policies: PolicyStore, value: str):
    await policies.put("t", READ.format("s/{{identity.entity.metadata.team}}"))
    with pytest.raises(PermissionDeniedError) as caught:
        await policies.acl_for(["t"], values(team=f"canary{value}"))
    assert "canary" not in caught.value.message


async def test_a_value_with_braces_is_not_a_template(policies: PolicyStore):
    await policies.put("t", READ.format("s/{{identity.entity.metadata.team}}"))
    acl = await policies.acl_for(["t"], values(team="{{identity.entity.id}}"))
    assert acl.capabilities("s/entity-1") == ["deny"]
    assert acl.capabilities("s/{{identity.entity.id}}") == ["read"]


async def test_a_changed_entity_is_compiled_again(policies: PolicyStore):
    await policies.put("t", READ.format("s/{{identity.entity.metadata.team}}"))
    assert (await policies.acl_for(["t"], values(1, team="red"))).capabilities("s/red") == ["read"]
    assert (await policies.acl_for(["t"], values(2, team="blue"))).capabilities("s/red") == ["deny"]
