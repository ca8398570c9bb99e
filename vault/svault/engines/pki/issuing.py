"""`issue`, `sign` and `sign-verbatim`: leaf certificates by a role."""

from dataclasses import replace

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from svault.engines.pki.answers import issued
from svault.engines.pki.base import PkiPaths
from svault.engines.pki.certificates import Signer, Template, access_extensions, key_identifier, sign
from svault.engines.pki.csrs import check_key, load_csr
from svault.engines.pki.failures import failure
from svault.engines.pki.identities import filled_role
from svault.engines.pki.key_types import PrivateKey, PublicKey, generate
from svault.engines.pki.pem import certificate_der, format_of, serial_key, serial_text
from svault.engines.pki.records import Issuer
from svault.engines.pki.roles import Role
from svault.engines.pki.subject import Names, requested_names
from svault.engines.pki.usages import extended_key_usage, key_usage, policies
from svault.engines.pki.validity import Validity, validity
from svault.errors import BadRequestError
from svault.logical import Fields, Lease, Operation, Request, Response, route

LEASE = "pki"
OURS = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)
"""What a certificate says of its issuer, and whether it is a CA, is never taken over from a request."""
_FROM_ROLE = ("issuer_ref", "ttl", "max_ttl", "generate_lease", "no_store", "not_before_duration")


class IssuingPaths(PkiPaths):
    """Certificates for keys made here, and for keys of whoever asks."""

    @route("issue/{role}", Operation.UPDATE)
    @route("issuer/{issuer}/issue/{role}", Operation.UPDATE)
    async def issue(self, request: Request) -> Response:
        """Make a key and its certificate; the key is shown once and not kept."""
        values = request.fields
        role = await self._role_for(request)
        if role.key_type == "any":
            role = _with_key_of(role, values)
        output = format_of(values.text("format", "pem"))
        issuer = self.issuing(request.args.get("issuer") or role.issuer_ref)
        names = requested_names(values, role, None)
        valid = validity(values, role, self.limits(issuer), self.mount.clock.time())
        private = await generate(role.kind())
        template = await self._leaf(names.subject(role), private.public_key(), valid, names, role, issuer)
        return await self._finished(template, issuer, role, values, output=output, private=private)

    @route("sign/{role}", Operation.UPDATE)
    @route("issuer/{issuer}/sign/{role}", Operation.UPDATE)
    async def sign(self, request: Request) -> Response:
        """A certificate for the key of a CSR, with the names that the role allows."""
        values = request.fields
        role = await self._role_for(request)
        output = format_of(values.text("format", "pem"))
        issuer = self.issuing(request.args.get("issuer") or role.issuer_ref)
        csr = load_csr(values.text("csr"))
        check_key(csr, role)
        names = requested_names(values, role, csr)
        valid = validity(values, role, self.limits(issuer), self.mount.clock.time())
        template = await self._leaf(names.subject(role), csr.public_key(), valid, names, role, issuer)  # type: ignore[arg-type]  # check_key refused others
        valid.warnings += _ignored(values, role, csr)
        return await self._finished(template, issuer, role, values, output=output)

    @route("sign-verbatim", Operation.UPDATE)
    @route("sign-verbatim/{role}", Operation.UPDATE)
    @route("issuer/{issuer}/sign-verbatim", Operation.UPDATE)
    @route("issuer/{issuer}/sign-verbatim/{role}", Operation.UPDATE)
    async def sign_verbatim(self, request: Request) -> Response:
        """A certificate with the subject and extensions that a CSR asks for; it is never a CA certificate."""
        values = request.fields
        role = _verbatim(values, await self.role(request.args["role"]) if request.args.get("role") else None)
        output = format_of(values.text("format", "pem"))
        issuer = self.issuing(request.args.get("issuer") or role.issuer_ref)
        csr = load_csr(values.text("csr"))
        check_key(csr, role)
        valid = validity(values, role, self.limits(issuer), self.mount.clock.time())
        template = await self._leaf(csr.subject, csr.public_key(), valid, Names(), role, issuer)  # type: ignore[arg-type]  # check_key refused others
        template.override(csr.extensions, OURS)
        valid.warnings += _ignored_constraints(csr)
        return await self._finished(template, issuer, role, values, output=output)

    async def _role_for(self, request: Request) -> Role:
        role = await self.role(request.args["role"])
        if not (role.allowed_domains_template or role.allowed_uri_sans_template):
            return role
        entity_id = request.identity.entity_id
        return filled_role(role, await self.mount.system.identity_of(entity_id) if entity_id else None)

    async def _leaf(
        self, subject: x509.Name, public_key: PublicKey, valid: Validity, names: Names, role: Role, issuer: Issuer
    ) -> Template:
        template = Template(subject, public_key, valid)
        template.add(key_usage(role.key_usage), is_critical=True)
        template.add(extended_key_usage(role))
        if role.basic_constraints_valid_for_non_ca:
            template.add(x509.BasicConstraints(ca=False, path_length=None), is_critical=True)
        template.add(x509.SubjectKeyIdentifier(key_identifier(public_key)))
        template.add(*access_extensions(await self.urls(issuer)))
        template.add(names.alternatives(), is_critical=not subject.rdns)
        template.add(policies(role))
        return template

    async def _finished(
        self, template: Template, issuer: Issuer, role: Role, values: Fields, *, output: str, private: PrivateKey | None = None
    ) -> Response:
        signer: Signer = self.signer(issuer, role)
        template.add(x509.AuthorityKeyIdentifier(signer.key_identifier, None, None))
        certificate = await sign(template, signer)
        chain = [one.certificate for one in self.authorities.chain(issuer)]
        data = issued(values, certificate, chain, output=output, private=private)
        data["not_before"] = int(certificate.not_valid_before_utc.timestamp())
        serial = serial_text(certificate.serial_number)
        if not role.no_store:
            await self.mount.view.put(f"certs/{serial_key(serial)}", certificate_der(certificate))
        lease = None
        if role.generate_lease:
            ttl = int(data["expiration"] - self.mount.clock.time())
            lease = Lease(LEASE, {"serial_number": serial}, ttl=max(1, ttl), max_ttl=max(1, ttl), renewable=False)
        return Response(data=data, lease=lease, warnings=template.validity.warnings)


def _with_key_of(role: Role, values: Fields) -> Role:
    if "key_type" not in values:
        raise BadRequestError(
            'role key type "any" not allowed for issuing certificates without providing key_type and/or key_bits '
            "request parameters"
        )
    wanted = replace(role, key_type=values.text("key_type"), key_bits=values.integer("key_bits"))
    try:
        wanted.kind()
    except BadRequestError as reason:
        raise failure(f"failed to validate role: {reason}") from None
    return wanted


def _verbatim(values: Fields, role: Role | None) -> Role:
    asked = Role(
        key_type="any",
        server_flag=False,
        client_flag=False,
        require_cn=False,
        signature_bits=values.integer("signature_bits"),
        use_pss=values.boolean("use_pss"),
        key_usage=tuple(values.strings("key_usage", Role().key_usage)),
        ext_key_usage=tuple(values.strings("ext_key_usage")),
        ext_key_usage_oids=tuple(values.strings("ext_key_usage_oids")),
    )
    return replace(asked, **{name: getattr(role, name) for name in _FROM_ROLE}) if role is not None else asked


def _ignored(values: Fields, role: Role, csr: x509.CertificateSigningRequest) -> list[str]:
    found = []
    if role.use_csr_common_name and values.text("common_name"):
        found.append('the common_name field was provided but the role is set with "use_csr_common_name" set to true')
    found += [
        f'the {name} field was provided but the role is set with "use_csr_sans" set to true'
        for name in ("alt_names", "ip_sans", "uri_sans", "other_sans")
        if role.use_csr_sans and name in values
    ]
    return found + _ignored_constraints(csr)


def _ignored_constraints(csr: x509.CertificateSigningRequest) -> list[str]:
    if any(one.oid == ExtensionOID.BASIC_CONSTRAINTS for one in csr.extensions):
        return ["specified CSR contained a Basic Constraints extension that was ignored during issuance"]
    return []
