"""Keys, certificates, secrets, identities, and the account's own protections."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from prov_gen.model.base import Days, DaysOrNever, Domain, Handle, Label, Name, Placed, Record, Tagged


class KmsKey(Placed):
    """An encryption key kept by the provider."""

    rotation_days: DaysOrNever = Field(default=365, description="Days between two rotations; 0 turns rotation off")
    deletion_window_days: Annotated[int, Field(ge=7, le=30)] = Field(default=30, description="Days until a deleted key is gone")


class Certificate(Tagged):
    """A TLS certificate."""

    domain: Domain = Field(description="The name that it proves")
    alternative_names: list[Domain] = Field(default=[], description="Further names")
    issuer: Literal["provider", "letsencrypt", "vault", "imported"] = Field(default="provider", description="Who signs it")
    key_type: Literal["rsa1024", "rsa2048", "rsa4096", "ecdsa_p256", "ecdsa_p384", "ed25519", "ml_dsa_65"] = Field(
        default="ecdsa_p256", description="Kind of key"
    )
    auto_renew: bool = Field(default=True, description="Whether it is renewed before it expires")
    expires: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = Field(
        default=None, description="Last day of an imported certificate, as 2027-01-31"
    )


class Secret(Tagged):
    """A secret's place and rotation; never its value."""

    handle: Handle = Field(description="Where it lives, as vault:path#key")
    rotation_days: DaysOrNever = Field(default=90, description="Days between two rotations; 0 turns rotation off")


class IamStatement(Record):
    """One permission."""

    effect: Literal["allow", "deny"] = Field(default="allow", description="Whether it gives or takes")
    actions: list[Label] = Field(default=[], description="What may be done; * is everything")
    resources: list[Label] = Field(default=[], description="To what; * is everything")


class IamPolicy(Tagged):
    """A named set of permissions."""

    statements: list[IamStatement] = Field(default=[], description="The permissions")


class IamUser(Tagged):
    """A person or program with an account at the provider."""

    console: bool = Field(default=False, description="Whether it may log in to the console")
    mfa: bool = Field(default=True, description="Whether a second factor is required")
    access_key_rotation_days: DaysOrNever = Field(default=90, description="Days between two rotations of its key; 0 is never")
    policies: list[Name] = Field(default=[], description="Names of its policies")


class AuditLogging(Record):
    """The account's audit trail."""

    enabled: bool = Field(default=True, description="Whether every change is recorded")
    retention_days: Days = Field(default=2555, description="How long the trail is kept, in days (seven years)")
    all_regions: bool = Field(default=True, description="Whether every region is recorded")
    tamper_protection: bool = Field(default=True, description="Whether the trail's files are signed")


class Security(Record):
    """What holds for the whole configuration."""

    encryption_at_rest: bool = Field(default=True, description="Whether storage is encrypted unless a resource says otherwise")
    kms_key_id: Label | None = Field(default=None, description="The provider's id of the key for that")
    audit_logging: AuditLogging = Field(default=AuditLogging(), description="The account's audit trail")
    threat_detection: bool = Field(default=False, description="Whether the provider's threat detection is on")
    time_sync: bool = Field(default=True, description="Whether clocks are synchronised")
    change_approval: bool = Field(default=True, description="Whether a person approves changes to production")
    malware_protection: bool = Field(default=False, description="Whether hosts are scanned for malware")
    iam_policies: list[IamPolicy] = Field(default=[], description="Sets of permissions")
    iam_users: list[IamUser] = Field(default=[], description="Accounts of people and programs")


class Waiver(Record):
    """A failed compliance check that somebody accepted, with the reason, until a day."""

    check: Label = Field(description="Id of the check, such as NET-07")
    resource: Label | None = Field(default=None, description="Name or address (server.web) of what it is for; all when left out")
    reason: Annotated[str, StringConstraints(min_length=10, max_length=1024)] = Field(
        description="Why it is accepted, in a sentence"
    )
    expires: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] = Field(
        description="Last day on which it holds, as 2027-01-31"
    )
    approved_by: Label | None = Field(default=None, description="Who accepted it")
