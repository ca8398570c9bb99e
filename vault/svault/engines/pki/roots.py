"""`root/...`: make, rotate and remove root CAs; sign intermediates with them."""

from typing import Any

from cryptography import x509

from svault.engines.pki.algorithms import algorithm_of
from svault.engines.pki.answers import issued, key_data
from svault.engines.pki.authorities import LOCK, missing_key, new_id
from svault.engines.pki.base import AIA_WARNING, PkiPaths
from svault.engines.pki.cas import ZERO_PATH, ca_role, ca_template, path_length
from svault.engines.pki.certificates import Signer, Template, access_extensions, key_identifier, sign
from svault.engines.pki.crl import LOCK as CRL_LOCK
from svault.engines.pki.csrs import load_csr
from svault.engines.pki.issuing import OURS
from svault.engines.pki.key_types import PrivateKey, generate, kind_of
from svault.engines.pki.pem import (
    bundled,
    certificate_der,
    certificate_from,
    certificate_pem,
    format_of,
    printed,
    serial_key,
    serial_text,
)
from svault.engines.pki.records import Issuer, Key
from svault.engines.pki.subject import Names, common_name_of, requested_names
from svault.engines.pki.validity import Limits, Validity, validity
from svault.errors import BadRequestError
from svault.logical import Fields, Operation, Request, Response, route

EXPORTED = ("internal", "existing", "exported")
_DELETED = (
    "DELETE /root deletes all keys and issuers; prefer the new DELETE /key/:key_ref and DELETE /issuer/:issuer_ref for finer "
    "granularity, unless removal of all keys and issuers is desired."
)
_OUTLIVES = (
    "The expiration time for the signed certificate is after the CA's expiration time. If the new certificate is not treated "
    "as a root, validation paths with the certificate past the issuing CA's expiration time will fail."
)
_NO_SUBJECT = (
    "This issuer certificate was generated without a Subject; this makes it likely that issuing leaf certs with this certificate "
    "will cause TLS validation libraries to reject this certificate."
)


def exported_of(text: str) -> str:
    """What becomes of a new CA's key. Raises BadRequestError."""
    if text == "kms":
        raise BadRequestError("keys in a KMS are not supported: use internal, existing or exported")
    if text not in EXPORTED:
        raise BadRequestError('the "exported" path parameter must be "internal", "existing", exported" or "kms"')
    return text


class RootPaths(PkiPaths):
    """Root CAs, and what only they sign."""

    @route("root/generate/{exported}", Operation.UPDATE)
    @route("issuers/generate/root/{exported}", Operation.UPDATE)
    async def generate_root(self, request: Request) -> Response:
        """A self-signed CA certificate; its key is new, or one that is here already."""
        return await self._generate_root(request, request.fields.text("issuer_name"))

    @route("root/rotate/{exported}", Operation.UPDATE)
    async def rotate_root(self, request: Request) -> Response:
        """As generate, with the issuer name `next` when none is given."""
        return await self._generate_root(request, request.fields.text("issuer_name") or "next")

    @route("root/replace", Operation.UPDATE)
    async def replace_root(self, request: Request) -> Response:
        """Make another issuer, by default the one called `next`, the default one."""
        reference = request.fields.text("default", "next")
        async with self.mount.view.lock(LOCK):
            issuer = self.authorities.find_issuer(reference)
            if issuer is None:
                raise BadRequestError(f"Error resolving issuer reference: unable to find PKI issuer for reference: {reference}")
            await self.authorities.save(default_issuer=issuer.id)
        return Response(data={"default": issuer.id, "default_follows_latest_issuer": self.authorities.default_follows_latest})

    @route("root", Operation.DELETE, sudo=True)
    async def delete_root(self, request: Request) -> Response:
        """Remove every issuer and key."""
        async with self.mount.view.lock(LOCK), self.mount.view.lock(CRL_LOCK):
            await self.authorities.save(gone=[*self.authorities.issuers, *self.authorities.keys])
            await self.crls.rebuild()
        return Response(warnings=[_DELETED])

    @route("root/sign-intermediate", Operation.UPDATE)
    @route("issuer/{issuer}/sign-intermediate", Operation.UPDATE)
    async def sign_intermediate(self, request: Request) -> Response:
        """A CA certificate for the key of a CSR."""
        values = request.fields
        output = format_of(values.text("format", "pem"))
        issuer = self.issuing(request.args.get("issuer") or values.text("issuer_ref", "default"))
        csr = load_csr(values.text("csr"))
        kind_of(csr.public_key())
        role = ca_role(values, key_type="any")
        limits = self.limits(issuer)
        valid = validity(values, role, Limits(limits.default_ttl, limits.max_ttl), self.mount.clock.time())
        if limits.issuer_end is not None and valid.not_after > limits.issuer_end:
            valid.warnings = [_OUTLIVES]
        names, subject = Names(), csr.subject
        takes_all = values.boolean("use_csr_values")
        if not takes_all:
            named = dict(values.raw)
            named["common_name"] = values.text("common_name") or common_name_of(csr.subject)
            names = requested_names(Fields(named), role, None)
            subject = names.subject(role)
        most = path_length(values, issuer.certificate)
        urls = await self.urls(issuer)
        template = ca_template(subject, csr.public_key(), valid, names, role=role, urls=urls, values=values, most=most)  # type: ignore[arg-type]  # kind_of checked
        if takes_all:
            template.override(csr.extensions, OURS)
        signer = self.signer(issuer, role)
        template.add(x509.AuthorityKeyIdentifier(signer.key_identifier, None, None))
        certificate = await sign(template, signer)
        await self.mount.view.put(f"certs/{_key(certificate)}", certificate_der(certificate))
        chain = [one.certificate for one in self.authorities.chain(issuer)]
        data = issued(values, certificate, chain, output=output)
        data["ca_chain"] = [printed(one, output) for one in [certificate, *chain]]
        if urls.is_empty():
            valid.warnings.append(AIA_WARNING)
        if most == 0:
            valid.warnings.append(ZERO_PATH.format("signed"))
        return Response(data=data, warnings=valid.warnings)

    @route("root/sign-self-issued", Operation.UPDATE, sudo=True)
    @route("issuer/{issuer}/sign-self-issued", Operation.UPDATE, sudo=True)
    async def sign_self_issued(self, request: Request) -> Response:
        """Sign another root's certificate, unchanged but for the issuer: a bridge between two CAs (RFC 4210 4.4)."""
        values = request.fields
        issuer = self.issuing(request.args.get("issuer") or values.text("issuer_ref", "default"))
        own = certificate_from(values.text("certificate"), "certificate could not be PEM-decoded")
        if not is_ca(own):
            raise BadRequestError("given certificate is not a CA certificate")
        if own.subject != own.issuer:
            raise BadRequestError("given certificate is not self-issued")
        public = own.public_key()
        kind_of(public)
        signer = self.signer(issuer, ca_role(values, key_type="any"))
        urls = access_extensions(await self.urls(issuer))
        replaced = {one.oid for one in urls} | {x509.AuthorityKeyIdentifier.oid}
        kept = [(one.value, one.critical) for one in own.extensions if one.oid not in replaced]
        valid = Validity(own.not_valid_before_utc, own.not_valid_after_utc)
        template = Template(own.subject, public, valid, kept, own.serial_number)  # type: ignore[arg-type]  # kind_of checked it
        template.add(x509.AuthorityKeyIdentifier(signer.key_identifier, None, None), *urls)
        certificate = await sign(template, signer)
        return Response(data={"certificate": certificate_pem(certificate), "issuing_ca": certificate_pem(issuer.certificate)})

    async def _generate_root(self, request: Request, issuer_name: str) -> Response:
        values, exported = request.fields, exported_of(request.args["exported"])
        output = format_of(values.text("format", "pem"))
        role = ca_role(values)
        if exported != "existing":
            role = role.checked_key()
        names = requested_names(values, role, None)
        valid = validity(values, role, self.limits(None), self.mount.clock.time())
        subject, most = names.subject(role), path_length(values)
        fresh = await generate(role.kind()) if exported != "existing" else None
        async with self.mount.view.lock(LOCK):
            issuer_name = self.authorities.check_issuer_name(issuer_name)
            key, private = self.ca_key(values, fresh)
            signer = Signer(subject, private, key_identifier(private.public_key()), role.signature_bits, role.use_pss)
            urls = await self.urls(None)
            template = ca_template(subject, private.public_key(), valid, names, role=role, urls=urls, values=values, most=most)
            template.add(x509.AuthorityKeyIdentifier(signer.key_identifier, None, None))
            certificate = await sign(template, signer)
            issuer = Issuer.of(new_id(), issuer_name, certificate, key.id, algorithm_of(certificate))
            await self.adopt([issuer], [key], beside={f"certs/{_key(certificate)}": certificate_der(certificate)})
        data: dict[str, Any] = {
            "certificate": printed(certificate, output),
            "issuing_ca": printed(certificate, output),
            "serial_number": serial_text(certificate.serial_number),
            "expiration": int(certificate.not_valid_after_utc.timestamp()),
            "issuer_id": issuer.id,
            "issuer_name": issuer.name,
            "key_id": key.id,
            "key_name": key.name,
        }
        data |= key_data(values, private if exported == "exported" else None, output)
        if output == "pem_bundle":
            data["certificate"] = bundled([data.get("private_key", ""), certificate_pem(certificate)])
        warnings = [*valid.warnings, *([] if subject.rdns else [_NO_SUBJECT]), *([AIA_WARNING] if urls.is_empty() else [])]
        return Response(data=data, warnings=warnings + ([ZERO_PATH.format("generated")] if most == 0 else []))

    def ca_key(self, values: Fields, fresh: PrivateKey | None) -> tuple[Key, PrivateKey]:
        """A new CA's key: the fresh one, not stored yet, or one that is here. Hold the lock. Raises BadRequestError."""
        if fresh is None:
            reference = values.text("key_ref", "default")
            found = self.authorities.find_key(reference)
            if found is None:
                raise BadRequestError(f"failed to lookup public key from existing key: {missing_key(reference)}")
            return found, self.authorities.private(found.id)
        name = self.authorities.check_key_name(values.text("key_name"))
        return Key.of(new_id(), name, fresh), fresh

    async def adopt(self, issuers: list[Issuer], keys: list[Key], beside: dict[str, bytes | None] | None = None) -> None:
        """Store new issuers and keys, make the first ones the default, and make their CRLs. Hold the lock."""
        with_key = [issuer for issuer in issuers if issuer.key_id]
        default, default_key = self.authorities.default_issuer, self.authorities.default_key
        if issuers and (not default or (self.authorities.default_follows_latest and with_key)):
            default = (with_key or issuers)[0].id
        if keys and not default_key:
            default_key = next((one.key_id for one in with_key if one.id == default), keys[0].id)
        await self.authorities.save(issuers, keys, default_issuer=default, default_key=default_key, beside=beside)
        async with self.mount.view.lock(CRL_LOCK):
            await self.crls.rebuild(self.crls.missing())


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether a certificate says that it is a CA's."""
    return any(isinstance(one.value, x509.BasicConstraints) and one.value.ca for one in certificate.extensions)


def _key(certificate: x509.Certificate) -> str:
    return serial_key(serial_text(certificate.serial_number))
