"""`issuers`, `issuer/:ref` and `config/issuers`: read, name, restrict, revoke and remove issuers."""

from typing import Any

from svault.engines.pki.algorithms import algorithm_named
from svault.engines.pki.authorities import LOCK, missing_issuer
from svault.engines.pki.base import PkiPaths
from svault.engines.pki.crl import LOCK as CRL_LOCK
from svault.engines.pki.crl import Revocation
from svault.engines.pki.key_types import kind_of
from svault.engines.pki.pem import armoured, certificate_der, certificate_pem, serial_key, serial_text
from svault.engines.pki.records import USAGES, Issuer, Urls
from svault.engines.pki.roles import Role
from svault.engines.pki.templating import filled_urls, is_url
from svault.errors import BadRequestError, InternalError, NotFoundError
from svault.logical import Fields, Operation, Request, Response, rfc3339, route

URL_FIELDS = ("issuing_certificates", "crl_distribution_points", "delta_crl_distribution_points", "ocsp_servers")
PEM_CHAIN, DER_CERTIFICATE, DER_CRL, PEM_FILE = (
    "application/pem-certificate-chain",
    "application/pkix-cert",
    "application/pkix-crl",
    "application/x-pem-file",
)


_SELF_SIGNED = (
    "This issuer is a self-signed (potentially root) certificate. This means it may not be considered revoked if there is not an "
    "external, cross-signed variant of this certificate. This issuer's serial number will not appear on its own CRL."
)
_NO_PARENT = (
    "This issuer lacks another parent issuer within the mount. This means it will not appear on any other CRLs and may not be "
    "considered revoked by clients. Consider adding this issuer to its issuer's CRL as well if it is not self-signed."
)
_IS_DEFAULT = (
    "This issuer is currently configured as the default issuer for this mount; operations such as certificate issuance may not "
    "work until a new default issuer is selected."
)


def read_urls(values: Fields, base: Urls, templating: str) -> Urls:
    """The URLs that were sent over those that were there; `templating` names the field that turns placeholders on."""
    sent = {name: tuple(values.strings(name)) for name in URL_FIELDS if name in values}
    is_templated = values.boolean(templating, base.enable_templating)
    if not is_templated:
        for name, urls in sent.items():
            for url in urls:
                if not is_url(url):
                    raise BadRequestError(f"invalid URL found in Authority Information Access (AIA) parameter {name}: {url}")
    return Urls(**{**{name: getattr(base, name) for name in URL_FIELDS}, **sent}, enable_templating=is_templated)


class IssuerPaths(PkiPaths):
    """Issuers, by id or name."""

    @route("issuers", Operation.LIST)
    async def list_issuers(self, request: Request) -> Response:
        """Their ids, names, keys and serial numbers."""
        found = self.authorities.issuers
        if not found:
            raise NotFoundError
        info = {
            one.id: {
                "is_default": one.id == self.authorities.default_issuer,
                "issuer_name": one.name,
                "key_id": one.key_id,
                "serial_number": serial_text(one.certificate.serial_number),
            }
            for one in found.values()
        }
        return Response(data={"keys": sorted(info), "key_info": info})

    @route("issuer/{issuer}", Operation.READ)
    async def read_issuer(self, request: Request) -> Response:
        """An issuer and how it may be used."""
        return Response(data=self._answered(self.authorities.issuer(request.args["issuer"])))

    @route("issuer/{issuer}", Operation.UPDATE)
    async def update_issuer(self, request: Request) -> Response:
        """Set every field; those that are not sent get their defaults."""
        return await self._change(request, is_patch=False)

    @route("issuer/{issuer}", Operation.PATCH)
    async def patch_issuer(self, request: Request) -> Response:
        """Set the fields that are sent."""
        self.require_merge_patch(request)
        return await self._change(request, is_patch=True)

    @route("issuer/{issuer}", Operation.DELETE)
    async def delete_issuer(self, request: Request) -> Response:
        """Remove an issuer, not its key; one that is not there is no error."""
        reference = request.args["issuer"]
        async with self.mount.view.lock(LOCK), self.mount.view.lock(CRL_LOCK):
            issuer = self.authorities.find_issuer(reference)
            if issuer is None:
                return Response(status=200)
            was_default = issuer.id == self.authorities.default_issuer
            await self.authorities.save(gone=[issuer.id])
            await self.crls.rebuild()
        gone = (
            f"Deleted issuer {issuer.id} (via issuer_ref {reference}); this was configured as the default issuer. "
            "Operations without an explicit issuer will not work until a new default is configured."
        )
        warnings = [gone] if was_default else []
        return Response(status=200, warnings=warnings + await self._references(issuer, was_default))

    @route("issuer/{issuer}/revoke", Operation.UPDATE)
    async def revoke_issuer(self, request: Request) -> Response:
        """Stop an issuer for good: it signs CRLs, but no certificates, and stands on its own issuer's CRL when that is here."""
        warnings: list[str] = []
        async with self.mount.view.lock(LOCK):
            issuer = self.authorities.issuer(request.args["issuer"])
            if not issuer.revoked:
                usage = tuple(one for one in issuer.usage if one != "issuing-certificates")
                issuer = issuer.changed(revoked=self.mount.clock.time(), usage=usage)
                await self.authorities.save([issuer])
                warnings = await self._revoked_above(issuer)
        return Response(data=self._answered(issuer), warnings=warnings)

    @route("issuer/{issuer}/{form:json|pem|der}", Operation.READ, public=True)
    async def fetch_issuer(self, request: Request) -> Response:
        """An issuer's certificate, for anyone."""
        issuer, form = self._public(request), request.args["form"]
        if form == "pem":
            return Response(raw=(certificate_pem(issuer.certificate) + "\n").encode(), content_type=PEM_CHAIN)
        if form == "der":
            return Response(raw=certificate_der(issuer.certificate), content_type=DER_CERTIFICATE)
        shown = ("ca_chain", "certificate", "issuer_id", "issuer_name")
        answered = self._answered(issuer)
        return Response(data={name: answered[name] for name in shown})

    @route("issuer/{issuer}/crl", Operation.READ, public=True)
    @route("issuer/{issuer}/crl/{form:pem|der}", Operation.READ, public=True)
    async def fetch_issuer_crl(self, request: Request) -> Response:
        """An issuer's CRL, for anyone."""
        der, form = self.crls.der_of(self._public(request)), request.args.get("form")
        if der is None:
            raise NotFoundError
        text = armoured("X509 CRL", der) + "\n"
        if form is None:
            return Response(data={"crl": text})
        return Response(raw=der, content_type=DER_CRL) if form == "der" else Response(raw=text.encode(), content_type=PEM_FILE)

    @route("config/issuers", Operation.READ)
    async def read_default(self, request: Request) -> Response:
        """The default issuer."""
        return self._default()

    @route("config/issuers", Operation.UPDATE)
    async def write_default(self, request: Request) -> Response:
        """Choose the default issuer."""
        values = request.fields
        reference = values.text("default")
        if not reference or reference == "default":
            raise BadRequestError("Invalid issuer specification; must be non-empty and can't be 'default'.")
        async with self.mount.view.lock(LOCK):
            issuer = self.authorities.find_issuer(reference)
            if issuer is None:
                raise BadRequestError(f"Error resolving issuer reference: {missing_issuer(reference)}")
            follows = values.boolean("default_follows_latest_issuer", self.authorities.default_follows_latest)
            await self.authorities.save(default_issuer=issuer.id, follows_latest=follows)
        return self._default()

    async def _revoked_above(self, issuer: Issuer) -> list[str]:
        """Put a revoked issuer on the CRL of the one that signed it; returns what the client should know."""
        certificate, der = issuer.certificate, certificate_der(issuer.certificate)
        parent = self.authorities.parent_of(certificate)
        if parent is not None and not issuer.is_self_signed:
            revocation = Revocation(certificate.serial_number, issuer.revoked, parent.id, issuer.der)
            async with self.mount.view.lock(CRL_LOCK):
                await self.crls.revoke(revocation, {f"certs/{serial_key(serial_text(certificate.serial_number))}": der})
        warnings = [_SELF_SIGNED] if issuer.is_self_signed else []
        if issuer.is_self_signed or parent is None:
            warnings.append(_NO_PARENT)
        return [*warnings, _IS_DEFAULT] if issuer.id == self.authorities.default_issuer else warnings

    async def _references(self, issuer: Issuer, was_default: bool) -> list[str]:
        roles = [Role.read(await self.mount.view.read(f"roles/{name}")) for name in await self.mount.view.list("roles/")]
        used = [role.issuer_ref for role in roles]
        names = [name for name in (issuer.id, issuer.name, "default" if was_default else "") if name]
        return [f"{used.count(name)} roles reference {name}" for name in names if name in used]

    def _default(self) -> Response:
        found = self.authorities
        return Response(data={"default": found.default_issuer, "default_follows_latest_issuer": found.default_follows_latest})

    def _public(self, request: Request) -> Issuer:
        reference = request.args["issuer"]
        found = self.authorities.find_issuer(reference)
        if found is None:
            raise InternalError(missing_issuer(reference))
        return found

    async def _change(self, request: Request, *, is_patch: bool) -> Response:
        values = request.fields
        async with self.mount.view.lock(LOCK):
            issuer = self.authorities.issuer(request.args["issuer"])
            base = issuer if is_patch else Issuer(issuer.id, "", issuer.der, issuer.key_id, revoked=issuer.revoked)
            changed = self._changed(base, values)
            await self.authorities.save([changed])
        warnings = []
        if changed.urls.enable_templating:
            problem, _ = filled_urls(changed.urls, await self.config("cluster"), changed)
            warnings = [templating_warning(problem)] if problem else []
        return Response(data=self._answered(changed), warnings=warnings)

    def _changed(self, base: Issuer, values: Fields) -> Issuer:
        sent: dict[str, Any] = {}
        if "issuer_name" in values:
            sent["name"] = self.authorities.check_issuer_name(values.text("issuer_name"), base.id)
        if "leaf_not_after_behavior" in values:
            sent["leaf_not_after_behavior"] = behavior = values.text("leaf_not_after_behavior")
            if behavior not in {"err", "truncate", "permit"}:
                raise BadRequestError(
                    "Unknown value for field `leaf_not_after_behavior`. Possible values are `err`, `truncate`, and `permit`."
                )
        if "usage" in values:
            sent["usage"] = _usage(values.strings("usage"), base)
        if "manual_chain" in values:
            chain = [base.id if one == "self" else self.authorities.issuer(one).id for one in values.strings("manual_chain")]
            if chain and chain[0] != base.id:
                raise BadRequestError("the manual chain must begin with the issuer itself: write self first")
            sent["manual_chain"] = tuple(chain)
        if "revocation_signature_algorithm" in values:
            kind = kind_of(base.certificate.public_key())
            sent["revocation_signature_algorithm"] = algorithm_named(values.text("revocation_signature_algorithm"), kind)
        sent["urls"] = read_urls(values, base.urls, "enable_aia_url_templating")
        return base.changed(**sent)

    def _answered(self, issuer: Issuer) -> dict[str, Any]:
        data: dict[str, Any] = {
            "issuer_id": issuer.id,
            "issuer_name": issuer.name,
            "key_id": issuer.key_id,
            "certificate": certificate_pem(issuer.certificate) + "\n",
            "ca_chain": [certificate_pem(one.certificate) + "\n" for one in self.authorities.chain(issuer)],
            "manual_chain": list(issuer.manual_chain) or None,
            "leaf_not_after_behavior": issuer.leaf_not_after_behavior,
            "usage": ",".join(issuer.usage),
            "revocation_signature_algorithm": issuer.revocation_signature_algorithm,
            "revoked": bool(issuer.revoked),
            **{name: list(getattr(issuer.urls, name)) for name in URL_FIELDS},
        }
        if not issuer.urls.is_empty():
            data["enable_aia_url_templating"] = issuer.urls.enable_templating
        if issuer.revoked:
            data["revocation_time"] = int(issuer.revoked)
            data["revocation_time_rfc3339"] = rfc3339(issuer.revoked)
        return data


def templating_warning(problem: str) -> str:
    """What is said of URLs that cannot be filled in yet."""
    return f"issuance may fail: {problem}\n\nConsider setting the cluster-local address if it is not already set."


def _usage(asked: list[str], issuer: Issuer) -> tuple[str, ...]:
    if not set(asked) <= set(USAGES):
        raise BadRequestError(f"Unable to parse specified usages: [{' '.join(asked)}] - valid values are {','.join(USAGES)}")
    if issuer.revoked and "issuing-certificates" in asked:
        raise BadRequestError("Issuer has been revoked and cannot be used to issue certificates again")
    return tuple(one for one in USAGES if one in asked or one == "read-only")
