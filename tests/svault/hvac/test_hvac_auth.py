"""hvac's calls for tokens, approle and userpass, beside OpenBao."""

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told


def test_tokens_are_made_looked_up_renewed_and_revoked(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        given = {"policies": ["default"], "ttl": "1h", "display_name": "ci", "meta": {"team": "a"}}
        made = client.auth.token.create(**given)["auth"]
        token, accessor = made["client_token"], made["accessor"]
        assert client.auth.token.lookup(token)["data"]["meta"] == {"team": "a"}
        assert client.auth.token.lookup_accessor(accessor)["data"]["display_name"] == "token-ci"
        assert accessor in client.auth.token.list_accessors()["data"]["keys"]
        assert client.auth.token.renew(token)["auth"]["lease_duration"] == 3600
        assert client.auth.token.renew(token, increment="90m")["auth"]["lease_duration"] == 5400
        client.auth.token.renew_accessor(accessor)
        own = told.client(token)
        own.auth.token.lookup_self()
        own.auth.token.renew_self(increment="30m")
        own.lookup_token()
        with pytest.raises(exceptions.Forbidden):
            own.auth.token.list_accessors()
        client.auth.token.revoke_accessor(accessor)
        with pytest.raises(exceptions.Forbidden):
            client.auth.token.lookup(token)
        with pytest.raises(exceptions.Forbidden):
            own.auth.token.lookup_self()
        orphan = client.auth.token.create_orphan(policies=["default"], period="1h", num_uses=5)["auth"]["client_token"]
        told.client(orphan).auth.token.revoke_self()
        parent = client.auth.token.create(policies=["root"], no_default_policy=True)["auth"]["client_token"]
        child = told.client(parent).auth.token.create(explicit_max_ttl="2h", renewable=False)["auth"]["client_token"]
        client.auth.token.revoke_and_orphan_children(parent)
        assert client.auth.token.lookup(child)["data"]["orphan"] is True
        client.auth.token.revoke(child)
        client.auth.token.tidy()

    both.tell(
        tale,
        {
            "POST auth/token/tidy .warnings": "OpenBao says its own name",
            "LIST auth/token/accessors .data.keys": "no two vaults have the same",
        },
    )


def test_a_client_looks_up_renews_and_revokes_tokens_itself(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        made = client.auth.token.create(policies=["default"], ttl="1h")["auth"]
        client.renew_token(made["client_token"], increment="30m")
        client.lookup_token(made["client_token"])
        client.lookup_token(made["accessor"], accessor=True)
        client.revoke_token(made["accessor"], accessor=True)
        for orphan in (True, False):
            client.revoke_token(client.auth.token.create(policies=["default"])["auth"]["client_token"], orphan=orphan)
        wrapped = client.auth.token.create(policies=["default"], ttl="1h", wrap_ttl="60s")["wrap_info"]["token"]
        client = told.client("")
        client.auth_cubbyhole(wrapped)
        assert client.is_authenticated()
        told.client().sys.enable_auth_method("userpass", path="logins")
        told.client().auth.userpass.create_or_update_user("ann", "correct horse", mount_point="logins")
        client.login("/v1/auth/logins/login/ann", json={"password": "correct horse"})
        assert client.lookup_token()["data"]["display_name"] == "logins-ann"
        client.logout(revoke_token=True)
        assert not client.is_authenticated()

    both.tell(tale)


def test_roles_bound_what_a_token_may_have(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.auth.token.create_or_update_role("ci", allowed_policies=["default"], token_period="1h", orphan=True)
        assert client.auth.token.read_role("ci")["data"]["orphan"] is True
        assert client.auth.token.list_roles()["data"]["keys"] == ["ci"]
        made = client.auth.token.create(policies=["default"], role_name="ci")["auth"]
        assert made["orphan"] is True
        with pytest.raises(exceptions.InvalidRequest):
            client.auth.token.create(policies=["other"], role_name="ci")
        client.auth.token.delete_role("ci")
        with pytest.raises(exceptions.InvalidPath):
            client.auth.token.read_role("ci")

    both.tell(
        tale,
        {
            "GET auth/token/roles/ci .data.allowed_entity_aliases": "an empty list is a list",
            "GET auth/token/roles/ci .data.period": "the old names show the same as the new ones",
            "GET auth/token/roles/ci .data.token_bound_cidrs": "always shown",
            "GET auth/token/roles/ci .data.token_num_uses": "always shown",
            "POST auth/token/create/ci .errors": "ours names the policy",
        },
    )


def test_a_batch_token_is_refused_with_a_sentence(both: Pair):
    with pytest.raises(exceptions.InvalidRequest, match="batch"):
        both.ours.client().auth.token.create(type="batch")


def test_a_person_logs_in_with_a_password(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_auth_method("userpass")
        client.auth.userpass.create_or_update_user("ann", password="correct horse", policies=["reader"], token_ttl="1h")
        client.auth.userpass.read_user("ann")
        assert client.auth.userpass.list_user()["data"]["keys"] == ["ann"]
        person = told.client("")
        assert person.auth.userpass.login("ann", "correct horse")["auth"]["policies"] == ["default", "reader"]
        assert person.is_authenticated()
        client.auth.userpass.update_password_on_user("ann", "new horse")
        with pytest.raises(exceptions.InvalidRequest):
            told.client("").auth.userpass.login("ann", "correct horse")
        person.logout(revoke_token=True)
        client.auth.userpass.delete_user("ann")
        with pytest.raises(exceptions.InvalidPath):
            client.auth.userpass.read_user("ann")
        with pytest.raises(exceptions.InvalidPath):
            client.auth.userpass.list_user()

    both.tell(tale)


def test_a_program_logs_in_with_a_role_id_and_a_secret_id(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_auth_method("approle")
        approle = client.auth.approle
        approle.create_or_update_approle(
            "app", token_policies=["reader"], secret_id_num_uses=1, token_ttl="20m", secret_id_ttl="1h"
        )
        approle.read_role("app")
        assert approle.list_roles()["data"]["keys"] == ["app"]
        role_id = approle.read_role_id("app")["data"]["role_id"]
        made = approle.generate_secret_id("app", metadata={"tag": "one"}, cidr_list=["127.0.0.0/8"])["data"]
        assert approle.read_secret_id("app", made["secret_id"])["data"]["secret_id_num_uses"] == 1
        assert approle.list_secret_id_accessors("app")["data"]["keys"] == [made["secret_id_accessor"]]
        approle.read_secret_id_accessor("app", made["secret_id_accessor"])
        program = told.client("")
        assert program.auth.approle.login(role_id, made["secret_id"])["auth"]["metadata"]["tag"] == "one"
        program.auth.token.lookup_self()
        with pytest.raises(exceptions.InvalidRequest):
            told.client("").auth.approle.login(role_id, made["secret_id"])
        custom = approle.create_custom_secret_id("app", "my-own-secret", metadata={"tag": "two"})["data"]
        approle.destroy_secret_id_accessor("app", custom["secret_id_accessor"])
        approle.create_custom_secret_id("app", "my-second-secret")
        approle.destroy_secret_id("app", "my-second-secret")
        approle.generate_secret_id("app", wrap_ttl="60s")
        approle.update_role_id("app", "chosen")
        assert approle.read_role_id("app")["data"]["role_id"] == "chosen"
        approle.delete_role("app")
        with pytest.raises(exceptions.InvalidPath):
            approle.read_role("app")

    both.tell(tale)
