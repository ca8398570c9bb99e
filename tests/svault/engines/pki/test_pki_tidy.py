"""Tidying: by request and by the clock, and what it must leave alone."""

from typing import Any

import pytest
from cryptography import x509

from mounted import Mounted

pytestmark = pytest.mark.anyio
HOUR, DAY = 3600, 86400


async def issued(pki: Mounted) -> str:
    """The serial number of a certificate of one hour."""
    status, data = await pki.call("POST", "issue/web", {"common_name": "a.example.com"})
    assert status == 200, data
    return str(data["serial_number"])


async def finished(pki: Mounted) -> dict[str, Any]:
    """The status after everything in the background is done."""
    while pki.leases.spawned:
        await pki.leases.spawned.pop()
    return dict((await pki.call("GET", "tidy-status"))[1])


async def test_expired_certificates_go_and_others_stay(ca: Mounted) -> None:
    old = await issued(ca)
    ca.clock.now += 5 * HOUR
    young = await issued(ca)
    assert (await ca.call("POST", "tidy", {"tidy_cert_store": True, "safety_buffer": "2h"}))[0] == 202
    status = await finished(ca)
    assert (status["state"], status["cert_store_deleted_count"], status["error"]) == ("Finished", 1, None)
    assert (await ca.call("GET", f"cert/{old}"))[0] == 404
    assert (await ca.call("GET", f"cert/{young}"))[0] == 200


async def test_an_expired_revocation_goes_with_its_line_on_the_list(ca: Mounted) -> None:
    old = await issued(ca)
    await ca.call("POST", "revoke", {"serial_number": old})
    ca.clock.now += 5 * HOUR
    young = await issued(ca)
    await ca.call("POST", "revoke", {"serial_number": young})
    await ca.call("POST", "tidy", {"tidy_revoked_certs": True, "safety_buffer": "2h"})
    assert (await finished(ca))["revoked_cert_deleted_count"] == 1
    crl = x509.load_der_x509_crl((await ca.handle("GET", "crl")).raw or b"")
    assert [one.serial_number for one in crl] == [int(young.replace(":", ""), 16)]
    assert (await ca.call("LIST", "certs/revoked"))[1] == {"keys": [young]}
    assert (await ca.call("GET", f"cert/{old}"))[0] == 404


async def test_revoked_certificates_stay_while_only_the_store_is_tidied(ca: Mounted) -> None:
    old = await issued(ca)
    await ca.call("POST", "revoke", {"serial_number": old})
    ca.clock.now += 5 * HOUR
    await ca.call("POST", "tidy", {"tidy_cert_store": True, "safety_buffer": "1h"})
    assert (await finished(ca))["cert_store_deleted_count"] == 0
    assert (await ca.call("GET", f"cert/{old}"))[0] == 200


async def test_expired_issuers_go_but_never_the_default_one(ca: Mounted) -> None:
    short = {"common_name": "Short", "key_type": "ec", "ttl": "1h", "issuer_name": "short"}
    await ca.call("POST", "root/generate/internal", short)
    ca.clock.now += 500 * DAY
    await ca.call("POST", "tidy", {"tidy_expired_issuers": True})
    await finished(ca)
    assert (await ca.call("GET", "issuer/short"))[0] == 500
    assert (await ca.call("GET", "issuer/root"))[0] == 200


async def test_a_run_can_be_cancelled(ca: Mounted) -> None:
    old = await issued(ca)
    ca.clock.now += 5 * HOUR
    await ca.call("POST", "tidy", {"tidy_cert_store": True, "safety_buffer": "1h"})
    assert (await ca.call("POST", "tidy-cancel"))[1]["state"] == "Cancelling"
    assert (await finished(ca))["state"] == "Cancelled"
    assert (await ca.call("GET", f"cert/{old}"))[0] == 200


async def test_tidying_starts_by_itself_each_time_the_interval_has_passed(ca: Mounted) -> None:
    body = {"enabled": True, "tidy_cert_store": True, "interval_duration": "12h", "safety_buffer": "1h"}
    assert (await ca.call("POST", "config/auto-tidy", body))[0] == 200
    await ca.engine.tick()
    assert (await finished(ca))["state"] == "Finished"
    old = await issued(ca)
    ca.clock.now += 11 * HOUR
    await ca.engine.tick()
    assert ca.leases.spawned == []
    ca.clock.now += 2 * HOUR
    await ca.engine.tick()
    assert (await finished(ca))["cert_store_deleted_count"] == 1
    assert (await ca.call("GET", f"cert/{old}"))[0] == 404


async def test_a_second_run_waits_for_the_first(ca: Mounted) -> None:
    await ca.call("POST", "tidy", {"tidy_cert_store": True})
    answer = await ca.handle("POST", "tidy", {"tidy_cert_store": True})
    assert answer.warnings == ["Tidy operation already in progress."]
    assert len(ca.leases.spawned) == 1
    await finished(ca)
