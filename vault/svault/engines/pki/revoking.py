"""`revoke`, `revoke-with-key`, `config/crl` and `crl/rotate`."""

import base64
from typing import Any

from cryptography import x509

from svault.barrier.view import encoded
from svault.engines.pki.crl import DEFAULTS, LOCK, Revocation
from svault.engines.pki.fetching import FetchingPaths
from svault.engines.pki.key_types import load_private
from svault.engines.pki.pem import (
    SHORTEST,
    blocks,
    certificate_der,
    certificate_from,
    certificate_from_der,
    serial_key,
    serial_text,
)
from svault.errors import BadRequestError
from svault.logical import Fields, Operation, Request, Response, parse_duration, rfc3339, route

_PATH_SENT = "perhaps a path was passed to the API rather than the contents of a PEM file"
_DURATIONS = ("expiry", "ocsp_expiry", "auto_rebuild_grace_period", "delta_rebuild_interval")
_FLAGS = ("allow_expired_cert_revocation", "auto_rebuild", "disable", "enable_delta", "ocsp_disable")


class RevokingPaths(FetchingPaths):
    """Taking certificates back. A revocation and the CRL that shows it are one commit."""

    @route("revoke", Operation.UPDATE)
    async def revoke_certificate(self, request: Request) -> Response:
        """Revoke a stored certificate by its serial number, or one of ours that is sent."""
        values = request.fields
        return await self._revoked(await self._chosen(values))

    @route("revoke-with-key", Operation.UPDATE)
    async def revoke_with_key(self, request: Request) -> Response:
        """As revoke, for whoever proves to have the certificate's private key."""
        values = request.fields
        text = values.text("private_key")
        if not text:
            raise BadRequestError("Must have private key to revoke via the /revoke-with-key path.")
        if len(text) < SHORTEST:
            raise BadRequestError(f"Provided data for private_key was too short; {_PATH_SENT}?")
        certificate = await self._chosen(values)
        parts = blocks(text)
        if not parts:
            raise BadRequestError("failed to parse provided private key: it holds no PEM data")
        if load_private(parts[0][1]).public_key() != certificate.public_key():
            raise BadRequestError("provided private key does not match certificate's public key")
        return await self._revoked(certificate)

    @route("crl/rotate", Operation.READ, Operation.UPDATE)
    async def rotate_crl(self, request: Request) -> Response:
        """Make the CRLs anew."""
        async with self.mount.view.lock(LOCK):
            warnings = await self.crls.rebuild()
        return Response(data={"success": True}, warnings=warnings)

    @route("config/crl", Operation.READ)
    async def read_crl_config(self, request: Request) -> Response:
        """How CRLs are made."""
        return Response(data=dict(self.crls.config))

    @route("config/crl", Operation.UPDATE)
    async def write_crl_config(self, request: Request) -> Response:
        """Change how CRLs are made; they are made anew. The `ocsp_` fields are kept for clients; OCSP itself is not answered."""
        async with self.mount.view.lock(LOCK):
            config = _checked(request.fields, self.crls.config)
            await self.mount.view.put("config/crl", encoded(config))
            self.crls.config = config
            await self.crls.rebuild()
        return Response(data=dict(config))

    async def revoke_serial(self, serial: str) -> None:
        """Revoke what a lease stands for; a certificate that is gone, or revoked, or expired is no error."""
        der = await self.stored_der(serial_key(serial))
        certificate = certificate_from_der(der) if der is not None else None
        if certificate is not None and self.authorities.parent_of(certificate) is not None:
            await self._revoked(certificate)

    async def _chosen(self, values: Fields) -> x509.Certificate:
        serial, text = values.text("serial_number"), values.text("certificate")
        if not serial and not text:
            raise BadRequestError("The serial number or certificate to revoke must be provided.")
        if serial and text:
            raise BadRequestError("Must provide either the certificate or the serial to revoke; not both.")
        if text:
            if len(text) < SHORTEST:
                raise BadRequestError(f"provided certificate data was too short; {_PATH_SENT}")
            return certificate_from(text, "certificate contains no PEM data")
        der = await self._known_der(serial)
        if der is None:
            raise BadRequestError(f"certificate with serial {serial[:200]} not found.")
        return certificate_from_der(der)

    async def _known_der(self, serial: str) -> bytes | None:
        key = serial_key(serial)
        if not key or not set(key) <= set("0123456789abcdef-") or len(key) > 200:
            return None
        revoked = self.crls.revocations.get(key)
        if revoked is not None:
            return base64.b64decode(revoked.der)
        issuer = self.authorities.with_serial(serial)
        return await self.stored_der(key) or (certificate_der(issuer.certificate) if issuer else None)

    async def _revoked(self, certificate: x509.Certificate) -> Response:
        serial = serial_text(certificate.serial_number)
        key, der = serial_key(serial), certificate_der(certificate)
        for issuer in self.authorities.issuers.values():
            if certificate_der(issuer.certificate) == der:
                raise BadRequestError(f"adding issuer (id: {issuer.id}) to its own CRL is not allowed")
        async with self.mount.view.lock(LOCK):
            found = self.crls.revocations.get(key)
            if found is None:
                parent = self.authorities.parent_of(certificate)
                if parent is None:
                    raise BadRequestError(
                        "unable to verify signature on presented cert from any present issuer in this mount; certificates from "
                        "previous CAs will need to have their issuing CA and key re-imported if revocation is necessary"
                    )
                now = self.mount.clock.time()
                has_expired = certificate.not_valid_after_utc.timestamp() < now
                if has_expired and not self.crls.config["allow_expired_cert_revocation"]:
                    return Response(
                        warnings=[
                            (
                                f"certificate with serial {serial} already expired; refusing to add to CRL. Enable "
                                "'AllowExpiredCertRevocation' to allow revoking expired certificates."
                            )
                        ]
                    )
                found = Revocation(certificate.serial_number, now, parent.id, base64.b64encode(der).decode())
                await self.crls.revoke(found, beside={f"certs/{key}": der})
        answer = {"revocation_time": int(found.time), "revocation_time_rfc3339": rfc3339(found.time), "state": "revoked"}
        return Response(data=answer)


def _checked(values: Fields, before: dict[str, Any]) -> dict[str, Any]:
    config = {**DEFAULTS, **before}
    for name in _DURATIONS:
        if name in values:
            config[name] = values.text(name)
            try:
                seconds = parse_duration(config[name], name)
            except BadRequestError:
                raise BadRequestError(f"given {name} could not be decoded: time: invalid duration") from None
            if seconds < 0 or (name == "expiry" and seconds == 0):
                raise BadRequestError(f"given {name} must be longer than nothing")
    config.update({name: values.boolean(name) for name in _FLAGS if name in values})
    if config["enable_delta"]:
        raise BadRequestError("delta CRLs are not made by this server: every CRL is complete")
    grace, expiry = config["auto_rebuild_grace_period"], config["expiry"]
    if config["auto_rebuild"] and parse_duration(grace) >= parse_duration(expiry):
        raise BadRequestError(
            f"CRL auto-rebuilding grace period ({grace}) must be strictly shorter than CRL expiry ({expiry}) value when "
            "auto-rebuilding of CRLs is enabled"
        )
    return config
