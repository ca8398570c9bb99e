"""hvac's calls for entities, groups and their aliases, beside OpenBao."""

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told


def token_accessor(told: Told) -> str:
    return str(told.client().sys.list_auth_methods()["data"]["token/"]["accessor"])


def test_entities_are_made_read_changed_merged_and_deleted(both: Pair):
    def tale(told: Told) -> None:
        identity = told.client().secrets.identity
        ann = identity.create_or_update_entity("ann", policies=["reader"], metadata={"team": "a"})["data"]["id"]
        identity.create_or_update_entity_by_name("bob", policies=["writer"], metadata={"team": "b"})
        bob = identity.read_entity_by_name("bob")["data"]["id"]
        identity.read_entity(ann)
        identity.update_entity(ann, name="ann", metadata={"team": "c"}, policies=["reader", "more"], disabled=True)
        identity.update_entity(ann, disabled=False)
        assert identity.read_entity(ann)["data"]["metadata"] == {"team": "c"}
        assert len(identity.list_entities()["data"]["keys"]) == 2
        identity.list_entities(method="GET")
        assert set(identity.list_entities_by_name()["data"]["keys"]) == {"ann", "bob"}
        identity.list_entities_by_name(method="GET")
        assert identity.lookup_entity(name="ann")["data"]["id"] == ann
        assert identity.lookup_entity(entity_id=bob)["data"]["name"] == "bob"
        identity.lookup_entity(name="nobody")
        identity.merge_entities([bob], ann)
        with pytest.raises(exceptions.InvalidRequest):
            identity.merge_entities([bob], ann)
        with pytest.raises(exceptions.InvalidPath):
            identity.read_entity(bob)
        identity.delete_entity(ann)
        identity.create_or_update_entity_by_name("eve")
        identity.delete_entity_by_name("eve")
        with pytest.raises(exceptions.InvalidPath):
            identity.list_entities()

    both.tell(tale)


def test_aliases_of_entities_say_how_somebody_logs_in(both: Pair):
    def tale(told: Told) -> None:
        identity, accessor = told.client().secrets.identity, token_accessor(told)
        ann = identity.create_or_update_entity("ann")["data"]["id"]
        alias = identity.create_or_update_entity_alias("ann", ann, accessor)["data"]["id"]
        identity.read_entity_alias(alias)
        identity.update_entity_alias(alias, "ann2", ann, accessor)
        assert identity.list_entity_aliases()["data"]["keys"] == [alias]
        identity.list_entity_aliases(method="GET")
        assert identity.lookup_entity(alias_id=alias)["data"]["id"] == ann
        assert identity.lookup_entity(alias_name="ann2", alias_mount_accessor=accessor)["data"]["id"] == ann
        with pytest.raises(exceptions.InvalidRequest):
            identity.create_or_update_entity_alias("x", ann, "nope")
        identity.read_entity(ann)
        identity.delete_entity_alias(alias)
        with pytest.raises(exceptions.InvalidPath):
            identity.read_entity_alias(alias)
        identity.delete_entity(ann)

    both.tell(tale)


def test_groups_have_members_and_policies(both: Pair):
    def tale(told: Told) -> None:
        identity = told.client().secrets.identity
        ann = identity.create_or_update_entity("ann")["data"]["id"]
        ops = identity.create_or_update_group("ops", member_entity_ids=[ann], policies=["ops"], metadata={"a": "b"})["data"]["id"]
        identity.create_or_update_group_by_name("all", member_group_ids=[ops], policies=["all"])
        everybody = identity.read_group_by_name("all")["data"]["id"]
        identity.read_group(ops)
        identity.read_entity(ann)
        identity.update_group(ops, "ops2", policies=["ops", "more"], member_entity_ids=[ann])
        assert identity.read_group(ops)["data"]["name"] == "ops2"
        assert len(identity.list_groups()["data"]["keys"]) == 2
        identity.list_groups(method="GET")
        assert set(identity.list_groups_by_name()["data"]["keys"]) == {"all", "ops2"}
        identity.list_groups_by_name(method="GET")
        assert identity.lookup_group(name="ops2")["data"]["id"] == ops
        assert identity.lookup_group(group_id=everybody)["data"]["name"] == "all"
        identity.lookup_group(name="none")
        with pytest.raises(exceptions.InvalidRequest):
            identity.update_group(ops, "ops2", member_group_ids=[everybody])
        identity.delete_group(ops)
        identity.delete_group_by_name("all")
        with pytest.raises(exceptions.InvalidPath):
            identity.read_group(ops)
        with pytest.raises(exceptions.InvalidPath):
            identity.list_groups()
        identity.delete_entity(ann)

    counted = "OpenBao counts a change of a group's parents, too"
    both.tell(
        tale,
        {"GET identity/group/id/UUID .data.modify_index": counted, "POST identity/lookup/group .data.modify_index": counted},
    )


def test_aliases_of_groups_stand_for_groups_of_others(both: Pair):
    def tale(told: Told) -> None:
        identity, accessor = told.client().secrets.identity, token_accessor(told)
        outside = identity.create_or_update_group("outside", group_type="external")["data"]["id"]
        alias = identity.create_or_update_group_alias("their-name", mount_accessor=accessor, canonical_id=outside)["data"]["id"]
        identity.read_group_alias(alias)
        identity.update_group_alias(alias, "their-other-name", mount_accessor=accessor, canonical_id=outside)
        assert identity.list_group_aliases()["data"]["keys"] == [alias]
        identity.list_group_aliases(method="GET")
        assert identity.lookup_group(alias_id=alias)["data"]["id"] == outside
        assert identity.lookup_group(alias_name="their-other-name", alias_mount_accessor=accessor)["data"]["id"] == outside
        identity.read_group(outside)
        identity.delete_group_alias(alias)
        with pytest.raises(exceptions.InvalidPath):
            identity.read_group_alias(alias)
        identity.delete_group(outside)

    both.tell(tale)
