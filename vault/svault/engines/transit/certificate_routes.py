"""`keys/:name/csr` and `set-certificate`: certificates for signing keys. Source: OpenBao's API page of the transit engine."""

from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from svault.engines.transit.base import TransitBase
from svault.engines.transit.exports import private_key, public_key
from svault.engines.transit.material import public_der
from svault.engines.transit.policies import Policy
from svault.errors import BadRequestError
from svault.logical import Operation, Request, Response, route

_REFUSED = "failed to persist certificate chain"
_BY_CURVE: dict[str, SHA256 | SHA384 | SHA512] = {"secp256r1": SHA256(), "secp384r1": SHA384(), "secp521r1": SHA512()}


class CertificateRoutes(TransitBase):
    """Certificate requests and chains of signing keys."""

    @route("keys/{name}/csr", Operation.UPDATE)
    async def create_csr(self, request: Request) -> Response:
        """A certificate request for a key, with the subject and extensions of a template."""
        policy = await self.require(request.args["name"], f"key with provided name '{request.args['name']}' not found")
        _require_signing(policy)
        if policy.derived:
            raise BadRequestError("operation not supported for keys with derivation enabled")
        template = _template(request.fields.text("csr"))
        try:
            version = policy.version(request.fields.integer("version", policy.latest_version))
        except BadRequestError as error:
            raise BadRequestError(f"could not create the csr: {error.errors[0]}") from None
        if not version.private:
            raise BadRequestError("could not create the csr: private key not imported for key version selected")
        csr = _signed(template, private_key(policy, version))
        return Response(data={"name": policy.name, "type": policy.type.name, "csr": csr})

    @route("keys/{name}/set-certificate", Operation.UPDATE)
    async def set_certificate(self, request: Request) -> Response:
        """Keep a certificate chain beside a version; the leaf's key must be that version's."""
        name = request.args["name"]
        async with self.keyring.lock(name):
            policy = await self.keyring.load(name)
            if policy is None:
                raise BadRequestError(f"key with provided name '{name}' not found")
            chain = _chain(request.fields.text("certificate_chain"))
            number = request.fields.integer("version", policy.latest_version)
            version = policy.version(number)
            _require_signing(policy)
            if policy.derived:
                raise BadRequestError("operation not supported on keys with derivation enabled")
            if public_der(chain[0].public_key()) != public_der(public_key(policy, version)):
                raise BadRequestError(f"{_REFUSED}: leaf certificate public key does not match the selected key version")
            certified = replace(version, certificate_chain=tuple(each.public_bytes(Encoding.DER) for each in chain))
            await self.saved(replace(policy, versions={**policy.versions, number: certified}))
        pem = "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in chain)
        return Response(data={"name": policy.name, "type": policy.type.name, "certificate_chain": pem})


def _require_signing(policy: Policy) -> None:
    policy.require_usable()
    if not policy.type.signs:
        raise BadRequestError(f"key type '{policy.type}' does not support signing")


def _template(pem: str) -> x509.CertificateSigningRequest | None:
    if not pem:
        return None
    try:
        return x509.load_pem_x509_csr(pem.encode())
    except ValueError:
        raise BadRequestError("could not decode PEM CSR") from None


def _signed(template: x509.CertificateSigningRequest | None, key: Any) -> str:
    try:
        builder = x509.CertificateSigningRequestBuilder(subject_name=template.subject if template else x509.Name([]))
        for extension in template.extensions if template else ():
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(key, _signature_hash(key)).public_bytes(Encoding.PEM).decode("ascii")
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        raise BadRequestError("could not create the csr: the template cannot be used") from None


def _signature_hash(key: Any) -> SHA256 | SHA384 | SHA512 | None:
    if isinstance(key, EllipticCurvePrivateKey):
        return _BY_CURVE[key.curve.name]
    return SHA256() if isinstance(key, RSAPrivateKey) else None


def _chain(pem: str) -> list[x509.Certificate]:
    """The certificates, the leaf first. Raises BadRequestError when they are not a leaf and its authorities."""
    if not pem:
        raise BadRequestError("provided certificate chain did not contain any valid PEM encoded certificate")
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
        authorities = [_is_authority(certificate) for certificate in chain]
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        raise BadRequestError("could not decode a PEM block in the certificate chain") from None
    if authorities[0]:
        raise BadRequestError(f"{_REFUSED}: certificate in the first element is not a valid leaf certificate")
    if len(chain) > 1 and not authorities[-1]:
        raise BadRequestError(f"{_REFUSED}: certificate in the last element is not a valid CA certificate")
    if not all(authorities[1:]):
        raise BadRequestError(f"{_REFUSED}: could not validate if there is only one leaf certificate in the provided chain")
    return chain


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
