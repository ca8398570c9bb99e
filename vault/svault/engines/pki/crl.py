"""Certificate revocation lists (RFC 5280 5): one for each CA, that is each subject and key, however many certificates it has.

The complete list is written together with the revocation that it shows, in one commit.
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from svault.barrier.view import View, encoded
from svault.engines.pki.algorithms import bits_of, is_pss
from svault.engines.pki.authorities import Authorities, public_der
from svault.engines.pki.certificates import identifier_of
from svault.engines.pki.key_types import pss, signature_hash
from svault.engines.pki.pem import serial_key, serial_text
from svault.engines.pki.records import Issuer
from svault.logical import Clock, parse_duration

LOCK = "crl"
DEFAULTS: dict[str, Any] = {
    "allow_expired_cert_revocation": False,
    "auto_rebuild": False,
    "auto_rebuild_grace_period": "12h",
    "delta_rebuild_interval": "15m",
    "disable": False,
    "enable_delta": False,
    "expiry": "72h",
    "ocsp_disable": False,
    "ocsp_expiry": "12h",
}


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revoked certificate: when (seconds), and which of our issuers made it."""

    serial: int
    time: float
    issuer_id: str
    der: str = field(default="", repr=False)
    """The certificate's DER in base64."""


@dataclass
class CrlBook:
    """The lists of a mount, and the revocations that they are made from."""

    view: View
    clock: Clock
    authorities: Authorities
    config: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    revocations: dict[str, Revocation] = field(default_factory=dict)
    """By the serial number as it is stored."""
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By CA: `number`, `der` in base64, `next_update` in seconds."""

    async def load(self) -> None:
        """Read everything. Raises StorageError."""
        self.config = {**DEFAULTS, **(await self.view.read("config/crl") or {})}
        for serial in await self.view.list("revoked/"):
            self.revocations[serial] = Revocation(**await self.view.read(f"revoked/{serial}"))
        for group in await self.view.list("crls/"):
            self.lists[group] = await self.view.read(f"crls/{group}")

    def forget(self) -> None:
        """Drop what is in memory."""
        self.revocations.clear()
        self.lists.clear()

    def der_of(self, issuer: Issuer) -> bytes | None:
        """The list of an issuer's CA, or None when there is none yet."""
        found = self.lists.get(ca_of(issuer))
        return base64.b64decode(found["der"]) if found else None

    def groups(self) -> dict[str, list[Issuer]]:
        """The issuers of each CA."""
        found: dict[str, list[Issuer]] = {}
        for issuer in self.authorities.issuers.values():
            found.setdefault(ca_of(issuer), []).append(issuer)
        return found

    async def revoke(self, revocation: Revocation, beside: Mapping[str, bytes]) -> None:
        """Write a revocation, what belongs to it, and the list that shows it unless lists are rebuilt on their own time.

        Hold `view.lock(LOCK)`.
        """
        serial = serial_key(serial_text(revocation.serial))
        changes: dict[str, bytes | None] = {f"revoked/{serial}": encoded(asdict(revocation)), **beside}
        issuer = self.authorities.issuers.get(revocation.issuer_id)
        rebuilt: dict[str, dict[str, Any]] = {}
        if issuer is not None and not self.config["auto_rebuild"]:
            group = ca_of(issuer)
            record = await self._built(group, self.groups()[group], extra=revocation)
            rebuilt = {group: record} if record else {}
        changes.update({f"crls/{group}": encoded(record) for group, record in rebuilt.items()})
        await self.view.commit(changes)
        self.revocations[serial] = revocation
        self.lists.update(rebuilt)

    async def forgive(self, serials: list[str], beside: Mapping[str, bytes | None]) -> None:
        """Remove revocations and what belongs to them; rebuild the lists afterwards. Hold `view.lock(LOCK)`."""
        await self.view.commit({**{f"revoked/{serial}": None for serial in serials}, **beside})
        for serial in serials:
            self.revocations.pop(serial, None)

    async def rebuild(self, only: set[str] | None = None) -> list[str]:
        """Make the lists of all or some CAs anew; returns warnings about those that nobody may sign. Hold `view.lock(LOCK)`."""
        warnings: list[str] = []
        rebuilt: dict[str, dict[str, Any]] = {}
        groups = self.groups()
        for group, issuers in groups.items():
            if only is not None and group not in only:
                continue
            record = await self._built(group, issuers)
            if record is not None:
                rebuilt[group] = record
            elif any(issuer.key_id for issuer in issuers):
                warnings.append(
                    f"Warning {len(warnings) + 1} during CRL rebuild: warning from local CRL rebuild: Issuer equivalency set "
                    "with associated keys lacked an issuer with CRL Signing KeyUsage; refusing to rebuild CRL for this group of "
                    "issuers: " + ",".join(issuer.id for issuer in issuers)
                )
        gone = [group for group in self.lists if group not in groups]
        changes: dict[str, bytes | None] = {f"crls/{group}": encoded(record) for group, record in rebuilt.items()}
        changes.update({f"crls/{group}": None for group in gone})
        if changes:
            await self.view.commit(changes)
        self.lists.update(rebuilt)
        for group in gone:
            del self.lists[group]
        return warnings

    def missing(self) -> set[str]:
        """The CAs that have no list yet."""
        return set(self.groups()) - set(self.lists)

    def due(self) -> set[str]:
        """The CAs whose list is about to expire, with the grace period when lists are rebuilt on their own time."""
        grace = parse_duration(self.config["auto_rebuild_grace_period"]) if self.config["auto_rebuild"] else 0
        before = self.clock.time() + grace
        due = {group for group, record in self.lists.items() if record["next_update"] <= before}
        return {group for group, issuers in self.groups().items() if group in due and _signing(issuers)} if due else due

    async def _built(self, group: str, issuers: list[Issuer], extra: Revocation | None = None) -> dict[str, Any] | None:
        signing = _signing(issuers)
        if signing is None:
            return None
        ids = {issuer.id for issuer in issuers}
        shown = [] if self.config["disable"] else [one for one in self.revocations.values() if one.issuer_id in ids]
        if extra is not None and not self.config["disable"]:
            shown.append(extra)
        number = self.lists.get(group, {}).get("number", 0) + 1
        now = datetime.fromtimestamp(int(self.clock.time()), UTC)
        until = now + timedelta(seconds=max(1, parse_duration(self.config["expiry"])))
        der = await asyncio.to_thread(self._signed, signing, shown, number, now, until)
        return {"number": number, "der": base64.b64encode(der).decode(), "next_update": until.timestamp()}

    def _signed(self, issuer: Issuer, shown: list[Revocation], number: int, now: datetime, until: datetime) -> bytes:
        certificate, key = issuer.certificate, self.authorities.private(issuer.key_id)
        # all at once: add_revoked_certificate copies what was added before, each time
        builder = (
            x509.CertificateRevocationListBuilder(revoked_certificates=[_line(one) for one in shown])
            .issuer_name(certificate.subject)
            .last_update(now)
            .next_update(until)
            .add_extension(x509.AuthorityKeyIdentifier(identifier_of(certificate), None, None), critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        algorithm = issuer.revocation_signature_algorithm
        digest = signature_hash(key, bits_of(algorithm))
        return builder.sign(key, digest, rsa_padding=pss(key, digest, is_pss(algorithm))).public_bytes(Encoding.DER)


def _signing(issuers: list[Issuer]) -> Issuer | None:
    return next((one for one in issuers if one.key_id and "crl-signing" in one.usage), None)


def _line(revocation: Revocation) -> x509.RevokedCertificate:
    moment = datetime.fromtimestamp(int(revocation.time), UTC)
    return x509.RevokedCertificateBuilder().serial_number(revocation.serial).revocation_date(moment).build()


def ca_of(issuer: Issuer) -> str:
    """What is the same for all certificates of one CA: a digest of its subject and key."""
    certificate = issuer.certificate
    public = public_der(certificate.public_key())  # type: ignore[arg-type]  # an issuer's key was checked when it was imported
    return hashlib.sha256(certificate.subject.public_bytes() + public).hexdigest()[:32]
