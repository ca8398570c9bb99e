"""Revoking: the CRL, leases, restarts, and what a failing storage leaves behind."""

from typing import Any

import pytest
from cryptography import x509

from mounted import Mounted, mounted
from svault.engines.pki import PkiEngine
from svault.errors import StorageError

pytestmark = pytest.mark.anyio
HOUR = 3600


async def issued(pki: Mounted, name: str = "a.example.com", **body: Any) -> dict[str, Any]:
    """A certificate of the role `web`."""
    status, data = await pki.call("POST", "issue/web", {"common_name": name, **body})
    assert status == 200, data
    return data


async def revoked_serials(pki: Mounted) -> set[str]:
    """The serial numbers on the default issuer's CRL."""
    crl = x509.load_der_x509_crl((await pki.handle("GET", "crl")).raw or b"")
    return {one.serial_number.to_bytes(20, "big").lstrip(b"\0").hex(":") for one in crl}


async def test_a_revoked_certificate_is_on_the_crl_at_once_and_stays_there_after_a_restart(ca: Mounted) -> None:
    leaf = await issued(ca)
    status, first = await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]})
    assert (status, first["state"]) == (200, "revoked")
    ca.clock.now += 100
    assert await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"].upper()}) == (200, first)
    again = await ca.restarted(PkiEngine)
    assert await revoked_serials(again) == {leaf["serial_number"]}
    status, read = await again.call("GET", f"cert/{leaf['serial_number']}")
    assert (status, read["revocation_time"]) == (200, first["revocation_time"])
    assert (await again.call("LIST", "certs/revoked"))[1] == {"keys": [leaf["serial_number"]]}


async def test_each_list_has_a_higher_number(ca: Mounted) -> None:
    numbers = []
    for _ in range(3):
        await ca.call("POST", "revoke", {"serial_number": (await issued(ca))["serial_number"]})
        crl = x509.load_der_x509_crl((await ca.handle("GET", "crl")).raw or b"")
        numbers.append(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    assert numbers == sorted(set(numbers))


async def test_a_storage_that_fails_leaves_neither_the_revocation_nor_the_list(
    ca: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = await issued(ca)
    before = dict(ca.entries.values)
    with monkeypatch.context() as broken:

        async def full(changes: object) -> None:
            raise StorageError("the storage is full")

        broken.setattr(ca.entries, "commit", full)
        assert (await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]}))[0] == 500
    assert ca.entries.values == before
    assert await revoked_serials(ca) == set()
    assert (await ca.call("GET", f"cert/{leaf['serial_number']}"))[1]["revocation_time"] == 0


async def test_a_revocation_and_its_list_are_one_commit(ca: Mounted) -> None:
    leaf = await issued(ca)
    before = ca.entries.commits
    await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]})
    assert ca.entries.commits == before + 1


async def test_with_auto_rebuild_the_list_waits_for_the_clock(ca: Mounted) -> None:
    assert (await ca.call("POST", "config/crl", {"auto_rebuild": True, "expiry": "72h", "auto_rebuild_grace_period": "12h"}))[
        0
    ] == 200
    leaf = await issued(ca, ttl="400h")
    await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]})
    await ca.engine.tick()
    assert await revoked_serials(ca) == set()
    ca.clock.now += 60 * HOUR + 1
    await ca.engine.tick()
    assert await revoked_serials(ca) == {leaf["serial_number"]}


async def test_a_list_never_expires_while_the_server_runs(ca: Mounted) -> None:
    ca.clock.now += 72 * HOUR
    await ca.engine.tick()
    crl = x509.load_der_x509_crl((await ca.handle("GET", "crl")).raw or b"")
    assert crl.next_update_utc.timestamp() > ca.clock.now


async def test_a_list_that_nobody_may_sign_is_left_as_it_is(ca: Mounted) -> None:
    before = (await ca.handle("GET", "crl")).raw
    await ca.call("PATCH", "issuer/root", {"usage": "issuing-certificates"})
    ca.clock.now += 80 * HOUR
    commits = ca.entries.commits
    await ca.engine.tick()
    assert ca.entries.commits == commits
    assert (await ca.handle("GET", "crl")).raw == before
    answer = await ca.handle("GET", "crl/rotate")
    assert "lacked an issuer with CRL Signing KeyUsage" in answer.warnings[0]


async def test_a_disabled_list_is_empty_and_comes_back(ca: Mounted) -> None:
    leaf = await issued(ca)
    await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]})
    await ca.call("POST", "config/crl", {"disable": True})
    assert await revoked_serials(ca) == set()
    await ca.call("POST", "config/crl", {"disable": False})
    assert await revoked_serials(ca) == {leaf["serial_number"]}


async def test_a_lease_revokes_its_certificate_also_after_a_restart_and_twice(ca: Mounted) -> None:
    await ca.call("PATCH", "roles/web", {"generate_lease": True})
    answer = await ca.handle("POST", "issue/web", {"common_name": "a.example.com"})
    assert answer.lease is not None
    assert (answer.lease.kind, answer.lease.renewable, answer.lease.ttl) == ("pki", False, HOUR)
    assert answer.data is not None
    assert dict(answer.lease.internal) == {"serial_number": answer.data["serial_number"]}
    record = ca.record(answer.lease)
    again = await ca.restarted(PkiEngine)
    await again.engine.revoke(record)
    await again.engine.revoke(record)
    assert await revoked_serials(again) == {answer.data["serial_number"]}


async def test_a_lease_whose_certificate_or_issuer_is_gone_is_revoked_without_an_error(ca: Mounted) -> None:
    await ca.call("PATCH", "roles/web", {"generate_lease": True})
    answer = await ca.handle("POST", "issue/web", {"common_name": "a.example.com"})
    assert answer.lease is not None
    await ca.call("DELETE", "root")
    await ca.engine.revoke(ca.record(answer.lease))
    await ca.engine.mount.view.clear("certs/")
    await ca.engine.revoke(ca.record(answer.lease))


async def test_a_certificate_that_was_not_stored_is_revoked_by_itself_but_not_by_its_serial_number(ca: Mounted) -> None:
    await ca.call("PATCH", "roles/web", {"no_store": True})
    leaf = await issued(ca)
    assert (await ca.call("GET", f"cert/{leaf['serial_number']}")) == (404, [])
    assert (await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]}))[0] == 400
    assert (await ca.call("POST", "revoke", {"certificate": leaf["certificate"]}))[0] == 200
    assert await revoked_serials(ca) == {leaf["serial_number"]}


async def test_a_certificate_of_another_ca_is_not_revoked(ca: Mounted) -> None:
    other = await mounted(PkiEngine)
    await other.call("POST", "root/generate/internal", {"common_name": "Root", "key_type": "ec"})
    await other.call("POST", "roles/web", {"allow_any_name": True, "key_type": "ec", "ttl": "1h"})
    status, errors = await ca.call("POST", "revoke", {"certificate": (await issued(other))["certificate"]})
    assert status == 400
    assert "unable to verify signature" in errors[0]


async def test_whoever_has_the_key_may_revoke_and_nobody_else(ca: Mounted) -> None:
    leaf, other = await issued(ca), await issued(ca)
    wrong = {"serial_number": leaf["serial_number"], "private_key": other["private_key"]}
    status, errors = await ca.call("POST", "revoke-with-key", wrong)
    assert (status, errors) == (400, ["provided private key does not match certificate's public key"])
    assert (await ca.call("POST", "revoke-with-key", {**wrong, "private_key": leaf["private_key"]}))[0] == 200


async def test_an_issuer_is_not_put_on_its_own_list(ca: Mounted) -> None:
    root = (await ca.call("GET", "cert/ca"))[1]["certificate"]
    status, errors = await ca.call("POST", "revoke", {"certificate": root})
    assert status == 400
    assert "to its own CRL is not allowed" in errors[0]


async def test_an_expired_certificate_is_not_revoked_unless_configured(ca: Mounted) -> None:
    leaf = await issued(ca)
    ca.clock.now += 2 * HOUR
    answer = await ca.handle("POST", "revoke", {"serial_number": leaf["serial_number"]})
    assert answer.data is None
    assert "already expired" in answer.warnings[0]
    await ca.call("POST", "config/crl", {"allow_expired_cert_revocation": True})
    assert (await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]}))[1]["state"] == "revoked"


async def test_each_issuer_signs_its_own_list(ca: Mounted) -> None:
    await ca.call("POST", "root/generate/internal", {"common_name": "Second", "key_type": "ec", "issuer_name": "second"})
    one = await issued(ca)
    two = (await ca.call("POST", "issuer/second/issue/web", {"common_name": "b.example.com"}))[1]
    for leaf in (one, two):
        assert (await ca.call("POST", "revoke", {"serial_number": leaf["serial_number"]}))[0] == 200
    for name, leaf in (("root", one), ("second", two)):
        crl = x509.load_der_x509_crl((await ca.handle("GET", f"issuer/{name}/crl/der")).raw or b"")
        issuer = x509.load_der_x509_certificate((await ca.handle("GET", f"issuer/{name}/der")).raw or b"")
        assert crl.is_signature_valid(issuer.public_key())
        assert [entry.serial_number for entry in crl] == [int(leaf["serial_number"].replace(":", ""), 16)]


async def test_delta_lists_are_refused_and_not_pretended(ca: Mounted) -> None:
    status, errors = await ca.call("POST", "config/crl", {"auto_rebuild": True, "enable_delta": True})
    assert (status, errors) == (400, ["delta CRLs are not made by this server: every CRL is complete"])
