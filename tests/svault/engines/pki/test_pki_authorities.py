"""Issuers, keys, defaults and roles: what is kept, what is shown, and what depends on who asks."""

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mounted import Mounted, mounted
from svault.engines.pki import PkiEngine
from svault.logical import Identity

pytestmark = pytest.mark.anyio
HOUR = 3600


async def made(pki: Mounted, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer that must be 200."""
    status, data = await pki.call("POST", path, body)
    assert status == 200, data
    return data


async def test_everything_is_there_after_a_restart(ca: Mounted) -> None:
    await made(ca, "keys/generate/internal", {"key_type": "ml-dsa-65", "key_name": "spare"})
    paths = [("GET", "issuer/root"), ("GET", "key/spare"), ("LIST", "issuers"), ("LIST", "keys"), ("GET", "config/issuers")]
    before = [await ca.call(*path) for path in paths]
    again = await ca.restarted(PkiEngine)
    assert [await again.call(*path) for path in paths] == before
    assert (await again.call("POST", "issue/web", {"common_name": "a.example.com"}))[0] == 200


async def test_a_leaf_ends_with_its_issuer_as_the_issuer_says(ca: Mounted) -> None:
    await ca.call("PATCH", "roles/web", {"ttl": "600h", "max_ttl": "600h"})
    assert (await ca.call("POST", "issue/web", {"common_name": "a.example.com"}))[0] == 400
    end = x509.load_der_x509_certificate((await ca.handle("GET", "ca")).raw or b"").not_valid_after_utc.timestamp()
    for behavior, expected in (("truncate", end), ("permit", ca.clock.now + 600 * HOUR)):
        await ca.call("PATCH", "issuer/root", {"leaf_not_after_behavior": behavior})
        leaf = await made(ca, "issue/web", {"common_name": "a.example.com"})
        assert leaf["expiration"] == expected


async def test_the_mounts_longest_time_caps_a_root_and_says_so(pki: Mounted) -> None:
    answer = await pki.handle("POST", "root/generate/internal", {"common_name": "R", "key_type": "ec", "ttl": "9000h"})
    assert answer.data is not None
    assert answer.data["expiration"] == pki.clock.now + 768 * HOUR
    assert answer.warnings[0] == 'TTL "9000h0m0s" is longer than permitted maxTTL "768h0m0s", so maxTTL is being used'


async def test_a_ca_that_may_not_have_cas_below_it_signs_none(pki: Mounted) -> None:
    await made(pki, "root/generate/internal", {"common_name": "R", "key_type": "ec", "max_path_length": 0})
    csr = (await made(pki, "intermediate/generate/internal", {"common_name": "I", "key_type": "ec"}))["csr"]
    status, errors = await pki.call("POST", "root/sign-intermediate", {"csr": csr})
    assert status == 400
    assert "max path length of zero" in errors[0]


async def test_a_revoked_intermediate_issues_nothing_and_is_on_the_list_of_its_root(ca: Mounted) -> None:
    csr = (await made(ca, "intermediate/generate/internal", {"common_name": "I", "key_type": "ec"}))["csr"]
    signed = await made(ca, "root/sign-intermediate", {"csr": csr, "ttl": "10h"})
    (below,) = (await made(ca, "intermediate/set-signed", {"certificate": signed["certificate"]}))["imported_issuers"]
    assert (await made(ca, f"issuer/{below}/revoke", {}))["revoked"]
    status, errors = await ca.call("POST", f"issuer/{below}/issue/web", {"common_name": "a.example.com"})
    assert status == 500
    assert "only had usage crl-signing,ocsp-signing,read-only" in errors[0]
    crl = x509.load_der_x509_crl((await ca.handle("GET", "issuer/root/crl/der")).raw or b"")
    assert [one.serial_number for one in crl] == [int(signed["serial_number"].replace(":", ""), 16)]


async def test_a_verbatim_request_never_becomes_a_ca(ca: Mounted) -> None:
    asked = {"common_name": "I", "key_type": "ec", "add_basic_constraints": True}
    csr = (await made(ca, "intermediate/generate/internal", asked))["csr"]
    signed = await made(ca, "sign-verbatim", {"csr": csr, "ttl": "1h"})
    certificate = x509.load_pem_x509_certificate(signed["certificate"].encode())
    assert not any(isinstance(one.value, x509.BasicConstraints) for one in certificate.extensions)


async def test_the_newest_issuer_becomes_the_default_when_the_default_follows(ca: Mounted) -> None:
    await made(ca, "config/issuers", {"default": "root", "default_follows_latest_issuer": True})
    second = await made(ca, "root/generate/internal", {"common_name": "Second", "key_type": "ec"})
    assert (await ca.call("GET", "config/issuers"))[1]["default"] == second["issuer_id"]


async def test_a_rotated_root_is_chosen_with_replace(ca: Mounted) -> None:
    following = await made(ca, "root/rotate/internal", {"common_name": "Root 2", "key_type": "ec"})
    assert following["issuer_name"] == "next"
    assert (await made(ca, "root/replace", {}))["default"] == following["issuer_id"]


async def test_a_key_in_use_is_kept(ca: Mounted) -> None:
    status, errors = await ca.call("DELETE", "key/root-key")
    assert status == 400
    assert "Key in Use" in errors[0]
    await ca.call("DELETE", "issuer/root")
    assert (await ca.call("DELETE", "key/root-key"))[0] == 204
    assert (await ca.call("LIST", "keys"))[0] == 404


async def test_a_certificate_finds_its_key_that_was_here_before(ca: Mounted) -> None:
    root = (await ca.call("GET", "issuer/root"))[1]
    await ca.call("DELETE", "issuer/root")
    taken = await made(ca, "issuers/import/cert", {"pem_bundle": root["certificate"]})
    assert list(taken["mapping"].values()) == [root["key_id"]]
    assert (await ca.call("POST", "issue/web", {"common_name": "a.example.com"}))[0] == 200


async def test_two_certificates_of_one_ca_share_its_list(ca: Mounted) -> None:
    leaf = await made(ca, "issue/web", {"common_name": "a.example.com"})
    await made(ca, "root/generate/existing", {"common_name": "Root", "key_ref": "root-key", "issuer_name": "again"})
    await made(ca, "revoke", {"serial_number": leaf["serial_number"]})
    assert (await ca.handle("GET", "issuer/root/crl/der")).raw == (await ca.handle("GET", "issuer/again/crl/der")).raw


@pytest.mark.parametrize(
    ("identity", "name", "status"),
    [
        (Identity("e1", "anna", metadata={"team": "blue"}), "anna.example.com", 200),
        (Identity("e1", "anna", metadata={"team": "blue"}), "blue.example.com", 200),
        (Identity("e1", "anna"), "otto.example.com", 400),
        (Identity("e1", "*"), "otto.example.com", 400),
        (None, "anna.example.com", 400),
    ],
)
async def test_templated_domains_are_those_of_the_one_who_asks(
    ca: Mounted, monkeypatch: pytest.MonkeyPatch, identity: Identity | None, name: str, status: int
) -> None:
    async def found(entity_id: str) -> Identity | None:
        return identity if entity_id else None

    monkeypatch.setattr(ca.leases, "identity_of", found)
    domains = ["{{identity.entity.name}}.example.com", "{{identity.entity.metadata.team}}.example.com"]
    role = {"allowed_domains": domains, "allowed_domains_template": True, "key_type": "ec", "ttl": "1h"}
    await made(ca, "roles/templated", {**role, "allow_bare_domains": True, "allow_glob_domains": True})
    asker = Identity("e1" if identity else "")
    assert (await ca.call("POST", "issue/templated", {"common_name": name}, identity=asker))[0] == status


async def test_a_patch_must_be_a_merge_patch(ca: Mounted) -> None:
    for path in ("roles/web", "issuer/root"):
        assert (await ca.call("PATCH", path, {"ttl": "1h"}, content_type="application/json"))[0] == 415


async def test_private_keys_are_only_where_they_belong(ca: Mounted) -> None:
    private = ca.engine.authorities.private(ca.engine.authorities.default_key)  # type: ignore[attr-defined] # this engine has them
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    secret = der[-100:-70]  # inside the private value
    leaf = await made(ca, "issue/web", {"common_name": "a.example.com"})
    answers = [
        await ca.call(*one) for one in (("GET", "issuer/root"), ("GET", "key/root-key"), ("LIST", "keys"), ("GET", "cert/ca"))
    ]
    shown = json.dumps(answers) + repr(ca.engine.authorities.keys) + repr(ca.engine.authorities)  # type: ignore[attr-defined] # as above
    for form in (secret.hex(), base64.b64encode(der).decode()[20:60]):
        assert form not in shown
    body = "".join(leaf["private_key"].splitlines()[1:-1])
    kept = {key: value.decode("latin-1") for key, value in ca.entries.values.items()}
    assert not [key for key, value in kept.items() if body[10:50] in value]
    holding = [key for key, value in kept.items() if base64.b64encode(der).decode() in value]
    assert len(holding) == 1
    assert "/keys/" in holding[0]


async def test_two_mounts_know_nothing_of_each_other(ca: Mounted) -> None:
    other = await mounted(PkiEngine)
    assert (await other.call("LIST", "issuers"))[0] == 404
