"""What all paths of the pki engine share: the authorities, the CRLs and the configuration of the mount."""

from typing import Any

from svault.engines.pki.authorities import Authorities, missing_issuer
from svault.engines.pki.certificates import Signer, identifier_of
from svault.engines.pki.crl import CrlBook
from svault.engines.pki.failures import failure
from svault.engines.pki.records import Issuer, Urls
from svault.engines.pki.roles import Role
from svault.engines.pki.templating import filled_urls
from svault.engines.pki.validity import Limits
from svault.errors import BadRequestError, UnsupportedMediaTypeError
from svault.logical import Engine, Mount, Request

AIA_WARNING = (
    "This mount hasn't configured any authority information access (AIA) fields; this may make it harder for systems to find "
    "missing certificates in the chain or to validate revocation status of certificates. Consider updating /config/urls or the "
    "newly generated issuer with this information."
)


INTERMEDIATE_AIA_WARNING = (
    AIA_WARNING + " Since this certificate is an intermediate, it might be useful to regenerate this certificate after fixing "
    "this problem for the root mount."
)
MERGE_PATCH = "application/merge-patch+json"


class PkiPaths(Engine):
    """The state that the path classes of the engine work on."""

    def __init__(self, mount: Mount) -> None:
        super().__init__(mount)
        self.authorities = Authorities(mount.view)
        self.crls = CrlBook(mount.view, mount.clock, self.authorities)

    @staticmethod
    def require_merge_patch(request: Request) -> None:
        """Raise UnsupportedMediaTypeError when the body of a PATCH is not declared as a merge patch (RFC 7396)."""
        if request.content_type.partition(";")[0].strip().lower() != MERGE_PATCH:
            raise UnsupportedMediaTypeError(f"PATCH requires Content-Type of {MERGE_PATCH}, provided {request.content_type}")

    async def config(self, name: str) -> dict[str, Any]:
        """A configuration entry; empty when nobody wrote it."""
        stored: dict[str, Any] = await self.mount.view.read(f"config/{name}") or {}
        return stored

    async def role(self, name: str) -> Role:
        """A role. Raises BadRequestError."""
        stored = await self.mount.view.read(f"roles/{name}")
        if stored is None:
            raise BadRequestError(f"unknown role: {name}")
        return Role.read(stored)

    def issuing(self, reference: str) -> Issuer:
        """An issuer that may sign certificates. Raises a failure as Vault words it."""
        issuer = self.authorities.find_issuer(reference)
        if issuer is None:
            raise failure(f"could not fetch the CA certificate (was one set?): {missing_issuer(reference)}")
        if "issuing-certificates" not in issuer.usage:
            named = f"[id:{issuer.id} / name:{issuer.name}]" if issuer.name else f"[id:{issuer.id}]"
            raise failure(
                f"error fetching CA certificate: error while attempting to use issuer {issuer.id}: requested usage "
                f"issuing-certificates for issuer {named} but only had usage {','.join(issuer.usage)}"
            )
        if not issuer.key_id:
            raise failure(f"error fetching CA certificate: the key of issuer {issuer.id} is not in this mount")
        return issuer

    def signer(self, issuer: Issuer, role: Role) -> Signer:
        """Whoever signs in the issuer's name."""
        certificate = issuer.certificate
        return Signer(
            certificate.subject,
            self.authorities.private(issuer.key_id),
            identifier_of(certificate),
            role.signature_bits,
            role.use_pss,
        )

    def limits(self, issuer: Issuer | None) -> Limits:
        """What the mount and the issuer allow."""
        system = self.mount.system
        if issuer is None:
            return Limits(system.default_lease_ttl(), system.max_lease_ttl())
        end = issuer.certificate.not_valid_after_utc
        return Limits(system.default_lease_ttl(), system.max_lease_ttl(), end, issuer.leaf_not_after_behavior)

    async def urls(self, issuer: Issuer | None) -> Urls:
        """The URLs that certificates of the issuer carry, templates filled in. Raises a failure when one cannot be."""
        own = issuer.urls if issuer is not None else Urls()
        urls = Urls.of(await self.config("urls")) if own.is_empty() else own
        if issuer is None or not urls.enable_templating:
            return Urls() if urls.enable_templating else urls
        problem, filled = filled_urls(urls, await self.config("cluster"), issuer)
        if problem:
            raise failure(f"error fetching CA certificate: unable to fetch AIA URL information: {problem}")
        return filled
