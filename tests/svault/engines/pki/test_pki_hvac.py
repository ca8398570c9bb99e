"""The engine behind the whole vault and real HTTP, used with hvac as people do."""

from typing import Any

import pytest
from cryptography import x509

from vaults import VaultServer, http_call


@pytest.fixture
def mounted_server(server: VaultServer) -> VaultServer:
    """A vault with pki mounted for ten years, a root, and a role for example.com."""
    client = server.client
    client.sys.enable_secrets_engine("pki", config={"max_lease_ttl": "87600h"})
    client.secrets.pki.generate_root("internal", "Root", extra_params={"ttl": "87600h", "key_type": "ec"})
    role = {"allowed_domains": "example.com", "allow_subdomains": True, "key_type": "ec", "ttl": "1h"}
    client.secrets.pki.create_or_update_role("web", role)
    return server


def listed(server: VaultServer, path: str) -> list[str]:
    """The names of a list, asked for as `?list=true`."""
    return list(server.client.adapter.get(f"/v1/{path}", params={"list": "true"})["data"]["keys"])


def test_every_method_of_hvac_works(mounted_server: VaultServer) -> None:
    pki = mounted_server.client.secrets.pki
    sys = mounted_server.client.sys
    sys.enable_secrets_engine("pki", path="below")
    csr = pki.generate_intermediate("internal", "Below", extra_params={"key_type": "ec"}, mount_point="below")["data"]["csr"]
    signed = pki.sign_intermediate(csr, "Below", extra_params={"ttl": "43800h"})["data"]
    pki.set_signed_intermediate("\n".join(signed["ca_chain"]), mount_point="below")
    assert pki.read_ca_certificate_chain(mount_point="below").count("BEGIN CERTIFICATE") == 2
    pki.set_urls({"issuing_certificates": ["http://ca.example.com"]})
    assert pki.read_urls()["data"]["issuing_certificates"] == ["http://ca.example.com"]
    pki.set_crl_configuration(expiry="48h", disable=False)
    assert pki.read_crl_configuration()["data"]["expiry"] == "48h"
    assert listed(mounted_server, "pki/roles") == ["web"]
    assert pki.read_role("web")["data"]["allowed_domains"] == ["example.com"]
    leaf = pki.generate_certificate("web", "a.example.com")["data"]
    pki.create_or_update_role("free", {"allow_any_name": True, "key_type": "ec", "ttl": "1h"})
    assert "private_key" not in pki.sign_certificate("free", csr, "Below")["data"]
    assert pki.sign_verbatim(csr)["data"]["serial_number"]
    assert leaf["serial_number"] in listed(mounted_server, "pki/certs")
    assert pki.read_certificate(leaf["serial_number"])["data"]["certificate"] == leaf["certificate"]
    assert pki.revoke_certificate(leaf["serial_number"])["data"]["state"] == "revoked"
    assert pki.rotate_crl()["data"]["success"] is True
    crl = x509.load_pem_x509_crl(pki.read_crl().encode())
    assert [one.serial_number for one in crl] == [int(leaf["serial_number"].replace(":", ""), 16)]
    assert x509.load_pem_x509_certificate(pki.read_ca_certificate().encode()).subject.rfc4514_string() == "CN=Root"
    (issuer,) = listed(mounted_server, "pki/issuers")
    assert pki.read_issuer(issuer)["data"]["issuer_id"] == issuer
    pki.update_issuer(issuer, extra_params={"issuer_name": "main"})
    pki.tidy({"tidy_cert_store": True, "safety_buffer": "1h"})
    pki.delete_role("web")
    pki.revoke_issuer("main")
    pki.delete_issuer("main")
    pki.delete_root()


def test_anyone_may_read_the_ca_and_the_crl_and_nothing_else(mounted_server: VaultServer) -> None:
    url = mounted_server.url
    expected = {
        "pki/ca": "application/pkix-cert",
        "pki/ca/pem": "application/pem-certificate-chain",
        "pki/ca_chain": "application/pkix-cert",
        "pki/crl": "application/pkix-crl",
        "pki/crl/pem": "application/x-pem-file",
        "pki/issuer/default/pem": "application/pem-certificate-chain",
        "pki/issuer/default/der": "application/pkix-cert",
        "pki/issuer/default/json": "application/json",
        "pki/issuer/default/crl/der": "application/pkix-crl",
        "pki/cert/ca": "application/json",
    }
    for path, content_type in expected.items():
        answer = http_call(url, "GET", path)
        assert (answer.status, answer.content_type) == (200, content_type), path
    for path in ("pki/certs?list=true", "pki/roles/web", "pki/issuer/default", "pki/config/crl"):
        assert http_call(url, "GET", path).status == 403, path
    assert http_call(url, "POST", "pki/issue/web", {}).status == 403


def test_a_lease_of_a_certificate_is_revoked_by_its_id(mounted_server: VaultServer) -> None:
    client = mounted_server.client
    role = {"allow_any_name": True, "key_type": "ec", "ttl": "1h", "generate_lease": True}
    client.secrets.pki.create_or_update_role("leased", role)
    made: dict[str, Any] = client.secrets.pki.generate_certificate("leased", "a")
    assert made["lease_id"].startswith("pki/issue/leased/")
    assert not made["renewable"]
    assert 3500 < made["lease_duration"] <= 3600
    client.sys.revoke_lease(made["lease_id"])
    read = client.secrets.pki.read_certificate(made["data"]["serial_number"])["data"]
    assert read["revocation_time"] > 0
