"""hvac's calls for pki, beside OpenBao."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hvac import exceptions

from hvac_beside import Pair, Told

AT = {"mount_point": "ca"}
ROLE = {"allowed_domains": "example.com", "allow_subdomains": True, "key_type": "ec", "ttl": "1h"}
YEARS = {"ttl": "87600h", "key_type": "ec"}


@pytest.fixture(scope="module")
def csr() -> str:
    """A request for www.example.com."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    made = (
        x509.CertificateSigningRequestBuilder().subject_name(name).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_a_root_issues_signs_and_revokes(both: Pair, csr: str):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("pki", path="ca", config={"max_lease_ttl": "87600h"})
        pki = client.secrets.pki
        pki.generate_root("internal", "Root", extra_params=YEARS, **AT)
        pki.set_urls({"issuing_certificates": ["http://ca.example.com"]}, **AT)
        pki.read_urls(**AT)
        pki.set_crl_configuration(expiry="48h", disable=False, **AT)
        pki.read_crl_configuration(**AT)
        pki.create_or_update_role("web", ROLE, **AT)
        pki.read_role("web", **AT)
        assert pki.list_roles(**AT)["data"]["keys"] == ["web"]
        leaf = pki.generate_certificate("web", "a.example.com", **AT)["data"]
        with pytest.raises(exceptions.InvalidRequest):
            pki.generate_certificate("web", "a.example.org", **AT)
        signed = pki.sign_certificate("web", csr, "www.example.com", **AT)["data"]
        pki.sign_verbatim(csr, **AT)
        pki.sign_verbatim(csr, name="web", **AT)
        with pytest.raises(exceptions.InvalidRequest):
            pki.sign_certificate("web", "nonsense", "www.example.com", **AT)
        assert len(pki.list_certificates(**AT)["data"]["keys"]) == 5
        pki.read_certificate(signed["serial_number"], **AT)
        pki.revoke_certificate(leaf["serial_number"], **AT)
        pki.read_certificate(leaf["serial_number"], **AT)
        pki.rotate_crl(**AT)
        crl = x509.load_pem_x509_crl(pki.read_crl(**AT).encode())
        assert [one.serial_number for one in crl] == [int(leaf["serial_number"].replace(":", ""), 16)]
        root = pki.read_ca_certificate(**AT)
        assert x509.load_pem_x509_certificate(root.encode()).subject.rfc4514_string() == "CN=Root"
        pki.read_ca_certificate_chain(**AT)
        pki.sign_self_issued(root, **AT)
        (issuer,) = pki.list_issuers(**AT)["data"]["keys"]
        pki.read_issuer(issuer, **AT)
        pki.update_issuer(issuer, extra_params={"issuer_name": "main"}, **AT)
        pki.tidy({"tidy_cert_store": True, "safety_buffer": "1h"}, **AT)
        pki.delete_role("web", **AT)
        with pytest.raises(exceptions.InvalidPath):
            pki.read_role("web", **AT)
        pki.revoke_issuer("main", **AT)
        pki.delete_issuer("main", **AT)
        pki.delete_root(**AT)
        client.sys.disable_secrets_engine("ca")

    both.tell(
        tale,
        {
            "POST ca/roles/web .warnings": "hvac says the name twice, which is no mistake",
            "POST ca/tidy .request_id": "every answer of ours has one",
            "POST ca/tidy .warnings": "OpenBao says its own name",
        },
    )


def test_an_intermediate_is_signed_by_a_root_and_a_bundle_is_imported(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        for path in ("ca", "below", "imported"):
            client.sys.enable_secrets_engine("pki", path=path, config={"max_lease_ttl": "87600h"})
        pki = client.secrets.pki
        made = pki.generate_root("exported", "Root", extra_params=YEARS, **AT)["data"]
        csr = pki.generate_intermediate("internal", "Below", extra_params={"key_type": "ec"}, mount_point="below")["data"]["csr"]
        signed = pki.sign_intermediate(csr, "Below", extra_params={"ttl": "43800h"}, **AT)["data"]
        pki.set_signed_intermediate("\n".join(signed["ca_chain"]), mount_point="below")
        assert pki.read_ca_certificate_chain(mount_point="below").count("BEGIN CERTIFICATE") == 2
        pki.submit_ca_information(f"{made['private_key']}\n{made['certificate']}", mount_point="imported")
        assert pki.read_ca_certificate(mount_point="imported") == made["certificate"]
        with pytest.raises(exceptions.InvalidRequest):
            pki.submit_ca_information("nonsense", mount_point="imported")
        for path in ("ca", "below", "imported"):
            client.sys.disable_secrets_engine(path)

    both.tell(tale)
