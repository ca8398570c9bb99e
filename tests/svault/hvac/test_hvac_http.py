"""What a client may send around a request (headers, methods, queries, slashes), over the wire to both vaults."""

import hvac
import pytest
from hvac import exceptions

from hvac_beside import Pair, Told

LISTED = {
    "identity/.config.passthrough": "ours is no OIDC provider",
    "sys/.config.passthrough": "no answer of ours depends on Accept",
    "sys/.seal_wrap": "the barrier encrypts all, once",
}


def test_a_token_comes_in_either_header_and_a_wrong_one_is_refused(both: Pair):
    def tale(told: Told) -> None:
        asked = told.session.request
        mounts = f"{told.url}/v1/sys/mounts"
        assert asked("GET", mounts, headers={"X-Vault-Token": told.root}).status_code == 200
        assert asked("GET", mounts, headers={"Authorization": f"Bearer {told.root}"}).status_code == 200
        assert asked("GET", mounts, headers={"Authorization": f"Basic {told.root}"}).status_code == 403
        assert asked("GET", mounts, headers={"X-Vault-Token": "wrong", "Authorization": f"Bearer {told.root}"}).status_code == 403
        assert asked("GET", mounts).status_code == 403
        assert not told.client("hvs.wrong").is_authenticated()

    meant = {"GET sys/mounts ." + at + part: why for at in ("", "data.") for part, why in LISTED.items()}
    both.tell(tale, meant)


def test_the_name_of_the_scheme_may_be_written_in_any_case(both: Pair):
    headers = {"Authorization": f"bearer {both.ours.root}"}  # RFC 9110, section 11.1; OpenBao takes one spelling only
    assert both.ours.session.request("GET", f"{both.ours.url}/v1/sys/mounts", headers=headers).status_code == 200


def test_lists_come_by_a_method_or_by_a_query(both: Pair):
    def tale(told: Told) -> None:
        headers = {"X-Vault-Token": told.root}
        for method, query in (("LIST", ""), ("GET", "?list=true"), ("GET", "?list=1")):
            answer = told.session.request(method, f"{told.url}/v1/sys/policies/acl{query}", headers=headers)
            assert answer.json()["data"]["keys"] == ["default", "root"]
        strict = hvac.Client(told.url, token=told.root, session=told.session)
        strict.adapter.strict_http = True
        assert strict.sys.list_acl_policies()["data"]["keys"] == ["default", "root"]

    both.tell(tale)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_write_comes_by_either_method(both: Pair, method: str):
    def tale(told: Told) -> None:
        headers = {"X-Vault-Token": told.root, "X-Vault-Request": "true"}
        answer = told.session.request(method, f"{told.url}/v1/sys/tools/random", json={"bytes": 8}, headers=headers)
        assert answer.status_code == 200
        told.session.request(method, f"{told.url}/v1/sys/tools/random", data=b"{broken", headers=headers)
        told.session.request(method, f"{told.url}/v1/sys/tools/random", data=b'["no object"]', headers=headers)

    both.tell(tale, {f"{method} sys/tools/random .errors": "ours tells where the JSON is wrong, and no type of Go"})


def test_a_method_that_no_vault_knows_is_refused(both: Pair):
    def tale(told: Told) -> None:
        for method in ("FOO", "TRACE"):
            answer = told.session.request(method, f"{told.url}/v1/sys/mounts", headers={"X-Vault-Token": told.root})
            assert answer.status_code in {400, 405}

    unparsed = "our parser of HTTP knows the registered methods, LIST and SCAN"
    both.tell(tale, {"FOO sys/mounts status 400": unparsed, "FOO sys/mounts :": unparsed})


def test_a_path_outside_of_the_api_is_404(both: Pair):
    for path in ("/", "/v1", "/v2/sys/health", "/ui/"):
        assert both.ours.session.request("GET", both.ours.url + path).status_code == 404


def test_a_namespace_is_refused_with_a_sentence_and_the_root_one_is_none(both: Pair):
    for name in ("root", "root/", "/", ""):
        assert hvac.Client(both.ours.url, token=both.ours.root, namespace=name).sys.list_policies()["data"]["keys"]
    elsewhere = hvac.Client(both.ours.url, token=both.ours.root, namespace="team-a")
    with pytest.raises(exceptions.InvalidRequest, match="no namespaces"):
        elsewhere.sys.list_policies()
    with pytest.raises(exceptions.InvalidRequest, match="no namespaces"):
        elsewhere.write_data("auth/token/create", data={})


@pytest.mark.parametrize("kind", ["aws", "consul", "ssh", "ldap", "rabbitmq"])
def test_an_engine_that_is_not_offered_is_refused_with_its_name(both: Pair, kind: str):
    with pytest.raises(exceptions.InvalidRequest, match=kind):
        both.ours.client().sys.enable_secrets_engine(kind)


@pytest.mark.parametrize(
    "path",
    [
        "sys/storage/raft/configuration",
        "sys/quotas/rate-limit/x",
        "sys/policies/rgp/x",
        "sys/policies/egp/x",
        "sys/namespaces/x",
        "identity/oidc/key/x",
        "identity/oidc/.well-known/openid-configuration",
    ],
)
def test_a_path_that_is_not_offered_is_404_with_a_sentence(both: Pair, path: str):
    answer = both.ours.session.request("GET", f"{both.ours.url}/v1/{path}", headers={"X-Vault-Token": both.ours.root})
    assert answer.status_code == 404
    assert "unsupported path" in answer.json()["errors"][0]
