"""`intermediate/...` and imports: CA certificates that are signed elsewhere, keys that come from elsewhere."""

from typing import Any

from cryptography import x509

from svault.engines.pki.answers import key_data
from svault.engines.pki.authorities import LOCK, new_id
from svault.engines.pki.base import AIA_WARNING, INTERMEDIATE_AIA_WARNING
from svault.engines.pki.cas import ca_role
from svault.engines.pki.csrs import make_csr, shown_csr
from svault.engines.pki.key_types import PrivateKey, generate, kind_of, load_private
from svault.engines.pki.pem import SHORTEST, blocks, bundled, certificate_der, certificate_from_der, format_of
from svault.engines.pki.records import Issuer, Key
from svault.engines.pki.roots import RootPaths, exported_of, is_ca
from svault.engines.pki.subject import requested_names
from svault.errors import BadRequestError
from svault.logical import Operation, Request, Response, route

_TOO_SHORT = "provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file"


class IntermediatePaths(RootPaths):
    """Intermediate CAs: the request for one, and the import of what was signed."""

    @route("intermediate/generate/{exported}", Operation.UPDATE)
    @route("issuers/generate/intermediate/{exported}", Operation.UPDATE)
    async def generate_intermediate(self, request: Request) -> Response:
        """A CSR for a CA certificate; its key is stored here."""
        values, exported = request.fields, exported_of(request.args["exported"])
        output = format_of(values.text("format", "pem"))
        role = ca_role(values)
        if exported != "existing":
            role = role.checked_key()
        names = requested_names(values, role, None)
        fresh = await generate(role.kind()) if exported != "existing" else None
        async with self.mount.view.lock(LOCK):
            key, private = self.ca_key(values, fresh)
            csr = make_csr(names, role, private, is_ca=values.boolean("add_basic_constraints"))
            if exported != "existing":
                await self.adopt([], [key])
        data: dict[str, Any] = {"csr": shown_csr(csr, output), "key_id": key.id}
        data |= key_data(values, private if exported == "exported" else None, output)
        if output == "pem_bundle":
            data["csr"] = bundled([data.get("private_key", ""), data["csr"]])
        return Response(data=data, warnings=[INTERMEDIATE_AIA_WARNING] if (await self.urls(None)).is_empty() else [])

    @route("intermediate/set-signed", Operation.UPDATE)
    @route("config/ca", Operation.UPDATE)
    @route("issuers/import/bundle", Operation.UPDATE)
    async def import_bundle(self, request: Request) -> Response:
        """Take CA certificates and keys into the mount."""
        return await self._import(request)

    @route("issuers/import/cert", Operation.UPDATE)
    async def import_certificates(self, request: Request) -> Response:
        """Take CA certificates into the mount, without keys."""
        return await self._import(request, takes_keys=False)

    async def _import(self, request: Request, *, takes_keys: bool = True) -> Response:
        text = request.fields.text("pem_bundle") or request.fields.text("certificate")
        certificates, privates = _read(text, takes_keys=takes_keys)
        async with self.mount.view.lock(LOCK):
            known = {certificate_der(one.certificate): one for one in self.authorities.issuers.values()}
            keys, found_keys = self._new_keys(privates)
            issuers: list[Issuer] = []
            found: list[str] = []
            mapping: dict[str, str] = {}
            for certificate in certificates:
                der = certificate_der(certificate)
                if der in known:
                    found.append(known[der].id)
                    linked = known[der]
                    if not linked.key_id and (key_id := self._key_id(certificate, keys)):
                        linked = linked.changed(key_id=key_id)
                        issuers.append(linked)
                else:
                    linked = Issuer.of(new_id(), "", certificate, self._key_id(certificate, keys))
                    issuers.append(linked)
                known[der] = linked
                mapping[linked.id] = linked.key_id
            added = [one.id for one in issuers if one.id not in self.authorities.issuers]
            await self.adopt(issuers, [key for key, _ in keys])
        data = {
            "imported_issuers": added or None,
            "imported_keys": [key.id for key, _ in keys] or None,
            "existing_issuers": found or None,
            "existing_keys": found_keys or None,
            "mapping": mapping,
        }
        warnings = [AIA_WARNING] if mapping and (await self.urls(None)).is_empty() else []
        return Response(data=data, warnings=warnings)

    def _new_keys(self, privates: list[PrivateKey]) -> tuple[list[tuple[Key, PrivateKey]], list[str]]:
        keys: list[tuple[Key, PrivateKey]] = []
        found: list[str] = []
        for private in privates:
            key = self.authorities.key_with(private.public_key())
            if key is not None:
                found.append(key.id)
            elif not any(private.public_key() == other.public_key() for _, other in keys):
                keys.append((Key.of(new_id(), "", private), private))
        return keys, found

    def _key_id(self, certificate: x509.Certificate, keys: list[tuple[Key, PrivateKey]]) -> str:
        public = certificate.public_key()
        for key, private in keys:
            if private.public_key() == public:
                return key.id
        known = self.authorities.key_with(public)  # type: ignore[arg-type]  # _read checked the kind
        return known.id if known else ""


def _read(text: str, *, takes_keys: bool) -> tuple[list[x509.Certificate], list[PrivateKey]]:
    """The certificates and keys of a bundle. Raises BadRequestError, with the number of the part that is wrong."""
    if not text:
        raise BadRequestError("'pem_bundle' and 'certificate' parameters were empty")
    if len(text) < SHORTEST:
        raise BadRequestError(_TOO_SHORT)
    parts = blocks(text)
    if not parts:
        raise BadRequestError("error when parsing block 1: invalid PEM data")
    certificates: list[x509.Certificate] = []
    privates: list[PrivateKey] = []
    for label, der in parts:
        if label == "CERTIFICATE":
            try:
                certificate = certificate_from_der(der)
                kind_of(certificate.public_key())
            except (BadRequestError, ValueError):
                raise BadRequestError(f"Error parsing issuer {len(certificates)}: x509: malformed certificate") from None
            if not is_ca(certificate):
                raise BadRequestError(
                    f"Error parsing issuer {len(certificates)}: Refusing to import non-CA certificate as issuer: it must have "
                    "a basic constraints extension with CA true"
                )
            certificates.append(certificate)
        elif label.endswith("PRIVATE KEY"):
            if not takes_keys:
                raise BadRequestError(
                    "private keys found in the PEM bundle but not allowed by the path; use /issuers/import/bundle"
                )
            privates.append(load_private(der))
    if not certificates and not privates:
        raise BadRequestError("the PEM bundle holds neither a certificate nor a private key")
    return certificates, privates
