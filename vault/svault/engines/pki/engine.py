"""The pki engine: all of its paths together, and what happens by itself.

roles, role_paths        who may get what            issuing        issue, sign, sign-verbatim
roots                    self-signed CAs             intermediates  CAs signed elsewhere, imports
issuer_paths, key_paths  names, defaults, usage      url_paths      where certificates point to
revoking, crl            taking certificates back    fetching       what anyone may read
tidying                  forgetting what expired
"""

from typing import ClassVar

from svault.engines.pki.crl import LOCK
from svault.engines.pki.intermediates import IntermediatePaths
from svault.engines.pki.issuer_paths import IssuerPaths
from svault.engines.pki.issuing import IssuingPaths
from svault.engines.pki.key_paths import KeyPaths
from svault.engines.pki.revoking import RevokingPaths
from svault.engines.pki.role_paths import RolePaths
from svault.engines.pki.tidying import TidyingPaths
from svault.engines.pki.url_paths import UrlPaths
from svault.logical import LeaseRecord


class PkiEngine(IssuingPaths, RolePaths, IntermediatePaths, IssuerPaths, KeyPaths, UrlPaths, RevokingPaths, TidyingPaths):
    """X.509 certificates, with RSA, EC, Ed25519 and ML-DSA keys. Source: Vault's API page of the PKI secrets engine."""

    kind: ClassVar[str] = "pki"

    async def start(self) -> None:
        """Read issuers, keys, revocations and CRLs into memory."""
        await self.authorities.load()
        await self.crls.load()

    async def stop(self) -> None:
        """Drop them, private keys first of all."""
        self.authorities.forget()
        self.crls.forget()

    async def revoke(self, lease: LeaseRecord) -> None:
        """Revoke the certificate that a lease stands for."""
        await self.revoke_serial(str(lease.internal["serial_number"]))

    async def tick(self) -> None:
        """Make CRLs anew before they expire, and tidy when it is time."""
        if due := self.crls.due():
            async with self.mount.view.lock(LOCK):
                await self.crls.rebuild(due)
        await self.tidy_when_due()
