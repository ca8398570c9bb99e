"""`cert/...`, `certs`, `ca`, `ca_chain` and `crl`: certificates and lists for reading, most of them by anyone."""

from typing import Any

from svault.engines.pki.base import PkiPaths
from svault.engines.pki.issuer_paths import DER_CERTIFICATE, DER_CRL, PEM_CHAIN, PEM_FILE
from svault.engines.pki.pem import armoured, bundled, certificate_der, certificate_pem, serial_key
from svault.engines.pki.records import Issuer
from svault.errors import BadRequestError, InternalError, NotFoundError
from svault.logical import Operation, Request, Response, rfc3339, route

_NO_DEFAULT = "no default issuer currently configured"
_SERIAL = "{serial:[0-9A-Fa-f:-]{1,200}}"


class FetchingPaths(PkiPaths):
    """What those who check a certificate need. Raw answers are empty (204) when there is nothing."""

    @route("ca", Operation.READ, public=True)
    @route("cert/ca/raw", Operation.READ, public=True)
    async def raw_ca(self, request: Request) -> Response:
        """The default issuer's certificate as DER."""
        issuer = self._default_issuer()
        return _raw(certificate_der(issuer.certificate) if issuer else b"", DER_CERTIFICATE)

    @route("ca/pem", Operation.READ, public=True)
    @route("cert/ca/raw/pem", Operation.READ, public=True)
    async def raw_ca_pem(self, request: Request) -> Response:
        """The default issuer's certificate as PEM."""
        issuer = self._default_issuer()
        return _raw(certificate_pem(issuer.certificate).encode() if issuer else b"", PEM_CHAIN)

    @route("ca_chain", Operation.READ, public=True)
    async def raw_chain(self, request: Request) -> Response:
        """The default issuer and those above it, as PEM."""
        issuer = self._default_issuer()
        return _raw(self._chain(issuer).encode() if issuer else b"", DER_CERTIFICATE)

    @route("crl", Operation.READ, public=True)
    async def raw_crl(self, request: Request) -> Response:
        """The default issuer's CRL as DER."""
        return _raw(self._crl() or b"", DER_CRL)

    @route("crl/pem", Operation.READ, public=True)
    async def raw_crl_pem(self, request: Request) -> Response:
        """The default issuer's CRL as PEM."""
        der = self._crl()
        return _raw(armoured("X509 CRL", der).encode() if der else b"", PEM_FILE)

    @route("cert/ca", Operation.READ, public=True)
    async def read_ca(self, request: Request) -> Response:
        """The default issuer's certificate."""
        issuer = self._default_issuer()
        if issuer is None:
            raise BadRequestError(_NO_DEFAULT)
        return Response(data=_answered(certificate_pem(issuer.certificate)))

    @route("cert/ca_chain", Operation.READ, public=True)
    async def read_chain(self, request: Request) -> Response:
        """The default issuer and those above it."""
        issuer = self._default_issuer()
        if issuer is None:
            raise BadRequestError(_NO_DEFAULT)
        chain = self._chain(issuer)
        return Response(data={**_answered(chain), "ca_chain": chain})

    @route("cert/crl", Operation.READ, public=True)
    async def read_crl(self, request: Request) -> Response:
        """The default issuer's CRL."""
        der = self._crl()
        if der is None:
            raise InternalError(_NO_DEFAULT)
        return Response(data=_answered(armoured("X509 CRL", der)))

    @route("certs", Operation.LIST)
    async def list_certificates(self, request: Request) -> Response:
        """The serial numbers of stored certificates."""
        return _serials(await self.mount.view.list("certs/"))

    @route("certs/revoked", Operation.LIST)
    async def list_revoked(self, request: Request) -> Response:
        """The serial numbers of revoked certificates."""
        return _serials(sorted(self.crls.revocations))

    @route(f"cert/{_SERIAL}", Operation.READ, public=True)
    async def read_certificate(self, request: Request) -> Response:
        """A certificate, and when it was revoked."""
        serial = serial_key(request.args["serial"])
        der = await self.stored_der(serial)
        if der is None:
            raise NotFoundError
        data = _answered(armoured("CERTIFICATE", der))
        revoked = self.crls.revocations.get(serial)
        if revoked is not None:
            data["revocation_time"] = int(revoked.time)
            data["revocation_time_rfc3339"] = rfc3339(revoked.time)
            data["issuer_id"] = revoked.issuer_id
        return Response(data=data)

    @route(f"cert/{_SERIAL}/raw", Operation.READ, public=True)
    async def raw_certificate(self, request: Request) -> Response:
        """A certificate as DER."""
        return _raw(await self.stored_der(serial_key(request.args["serial"])) or b"", DER_CERTIFICATE)

    @route(f"cert/{_SERIAL}/raw/pem", Operation.READ, public=True)
    async def raw_certificate_pem(self, request: Request) -> Response:
        """A certificate as PEM."""
        der = await self.stored_der(serial_key(request.args["serial"]))
        return _raw(armoured("CERTIFICATE", der).encode() if der else b"", PEM_CHAIN)

    async def stored_der(self, serial: str) -> bytes | None:
        """A certificate that was issued and stored here, by its serial number as it is stored."""
        return await self.mount.view.get(f"certs/{serial}")

    def _default_issuer(self) -> Issuer | None:
        return self.authorities.find_issuer("default")

    def _crl(self) -> bytes | None:
        issuer = self._default_issuer()
        return self.crls.der_of(issuer) if issuer else None

    def _chain(self, issuer: Issuer) -> str:
        return bundled([certificate_pem(one.certificate) for one in self.authorities.chain(issuer)])


def _answered(text: str) -> dict[str, Any]:
    return {"certificate": text, "revocation_time": 0, "revocation_time_rfc3339": ""}


def _raw(body: bytes, content_type: str) -> Response:
    return Response(raw=body, content_type=content_type, status=200 if body else 204)


def _serials(names: list[str]) -> Response:
    if not names:
        raise NotFoundError
    return Response(data={"keys": [name.replace("-", ":") for name in names]})
