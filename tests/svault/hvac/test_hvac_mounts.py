"""hvac's calls for mounts, auth methods, policies, capabilities and wrapping, beside OpenBao."""

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told

POLICY = 'path "kv/*" { capabilities = ["read", "list"] }'


def test_engines_are_mounted_tuned_moved_and_removed(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("kv", path="first", options={"version": "2"}, description="one")
        assert client.sys.list_mounted_secrets_engines()["data"]["first/"]["options"] == {"version": "2"}
        assert client.sys.retrieve_mount_option("first", "version") == "2"
        client.sys.tune_mount_configuration(
            "first",
            default_lease_ttl="1h",
            max_lease_ttl="2h",
            description="two",
            audit_non_hmac_request_keys=["a"],
            audit_non_hmac_response_keys=["b"],
            listing_visibility="unauth",
            passthrough_request_headers=["X-One"],
        )
        assert client.sys.read_mount_configuration("first")["data"]["default_lease_ttl"] == 3600
        client.secrets.kv.v2.create_or_update_secret("a", {"x": "y"}, mount_point="first")
        client.sys.move_backend("first", "second")
        client.sys.disable_secrets_engine("second")
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.read_mount_configuration("second")
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.enable_secrets_engine("nonsense")

    both.tell(
        tale,
        {
            "POST sys/remount .warnings": "ours is done when it answers",
            **{f"GET sys/mounts {at}identity/.config.passthrough": "ours is no OIDC provider" for at in (".", ".data.")},
            **{f"GET sys/mounts {at}sys/.config.passthrough": "no answer of ours depends on Accept" for at in (".", ".data.")},
            **{f"GET sys/mounts {at}sys/.seal_wrap": "the barrier encrypts all, once" for at in (".", ".data.")},
        },
    )


def test_auth_methods_are_enabled_tuned_and_removed(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_auth_method("userpass", path="people", description="one", config={"default_lease_ttl": "1h"})
        assert client.sys.list_auth_methods()["data"]["people/"]["type"] == "userpass"
        client.sys.tune_auth_method("people", default_lease_ttl="2h", listing_visibility="unauth", description="two")
        assert client.sys.read_auth_method_tuning("people")["data"]["default_lease_ttl"] == 7200
        client.sys.disable_auth_method("people")
        assert "people/" not in client.sys.list_auth_methods()["data"]

    both.tell(tale)


@pytest.mark.parametrize("kind", ["jwt", "cert", "ldap", "kubernetes"])
def test_an_auth_method_that_is_not_offered_is_refused_with_its_name(both: Pair, kind: str):
    with pytest.raises(exceptions.InvalidRequest, match=kind):
        both.ours.client().sys.enable_auth_method(kind)


def test_policies_are_written_read_listed_and_deleted(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.create_or_update_policy("reader", POLICY)
        client.sys.create_or_update_policy("of-parts", {"path": {"kv/*": {"capabilities": ["read"]}}})
        client.sys.list_policies()
        assert client.sys.read_policy("reader")["data"]["rules"] == POLICY
        client.sys.read_policy("of-parts")
        assert client.get_policy("reader") == POLICY
        client.sys.create_or_update_acl_policy("reader2", POLICY)
        client.sys.read_acl_policy("reader2")
        client.sys.list_acl_policies()
        client.sys.delete_acl_policy("reader2")
        client.sys.delete_policy("reader")
        client.sys.delete_policy("of-parts")
        with pytest.raises(exceptions.InvalidPath):
            client.sys.read_policy("reader")
        client.sys.list_policies()

    both.tell(tale)


def test_capabilities_are_told_of_the_own_token_of_another_and_by_its_accessor(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.create_or_update_policy("reader", POLICY)
        made = client.auth.token.create(policies=["reader"])["auth"]
        assert client.sys.get_capabilities(["kv/a"])["data"]["kv/a"] == ["root"]
        client.sys.get_capabilities(["kv/a", "other"], token=made["client_token"])
        client.sys.get_capabilities("kv/a", accessor=made["accessor"])
        told.client(made["client_token"]).sys.get_capabilities(["kv/a", "sys/mounts", "cubbyhole/x"])
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.get_capabilities(["a"], accessor="nope")

    both.tell(tale)


def test_an_answer_is_wrapped_and_unwrapped_once(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        token = client.sys.wrap({"a": "b"}, ttl=60)["wrap_info"]["token"]
        assert client.sys.unwrap(token)["data"] == {"a": "b"}
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.unwrap(token)
        client.sys.enable_secrets_engine("kv", path="wrapped", options={"version": "1"})
        client.write_data("wrapped/a", data={"x": "y"})
        token = client.read("wrapped/a", wrap_ttl="60s")["wrap_info"]["token"]
        assert told.client(token).sys.unwrap()["data"] == {"x": "y"}
        client.auth.token.create(ttl="1h", wrap_ttl="60s")
        assert client.read("wrapped/none", wrap_ttl="60s") is None

    both.tell(tale)
