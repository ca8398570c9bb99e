"""A role of AppRole, and a secret id that was made for it."""

import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from svault.auth.token_parameters import TokenParameters
from svault.errors import BadRequestError
from svault.logical.fields import Fields
from svault.logical.networks import networks

FIELDS = ("bind_secret_id", "secret_id_bound_cidrs", "secret_id_num_uses", "secret_id_ttl", "local_secret_ids")


@dataclass(slots=True)
class Role:
    """Times are seconds; 0 uses and 0 seconds are unlimited."""

    name: str
    role_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    bind_secret_id: bool = True
    secret_id_bound_cidrs: list[str] = field(default_factory=list)
    secret_id_num_uses: int = 0
    secret_id_ttl: int = 0
    local_secret_ids: bool = False
    parameters: dict[str, Any] = field(default_factory=lambda: TokenParameters().stored())

    def update(self, fields: Fields) -> None:
        """Take what a request says; what it leaves out stays. Raises BadRequestError."""
        self.bind_secret_id = fields.boolean("bind_secret_id", self.bind_secret_id)
        cidrs = fields.strings("secret_id_bound_cidrs", fields.strings("bound_cidr_list", self.secret_id_bound_cidrs))
        self.secret_id_bound_cidrs = networks(cidrs)
        self.secret_id_num_uses = fields.integer("secret_id_num_uses", self.secret_id_num_uses)
        self.secret_id_ttl = fields.duration("secret_id_ttl", self.secret_id_ttl)
        self.local_secret_ids = fields.boolean("local_secret_ids", self.local_secret_ids)
        self.role_id = fields.text("role_id") or self.role_id
        self.parameters = self.tokens.updated(fields).stored()
        if self.secret_id_num_uses < 0 or self.secret_id_ttl < 0:
            raise BadRequestError("secret_id_num_uses and secret_id_ttl cannot be negative")
        if not self.bind_secret_id and not self.secret_id_bound_cidrs and not self.tokens.token_bound_cidrs:
            raise BadRequestError("1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n")

    @property
    def tokens(self) -> TokenParameters:
        """What its logins' tokens are like."""
        return TokenParameters(**self.parameters)

    def described(self) -> dict[str, Any]:
        """As the API shows it."""
        return (
            {name: getattr(self, name) for name in FIELDS}
            | self.parameters
            | {"secret_id_bound_cidrs": self.secret_id_bound_cidrs or None}
        )

    def stored(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


@dataclass(slots=True)
class SecretId:
    """A secret id; its text is stored only as a keyed hash. Times are seconds since the epoch; `expires` 0 never ends."""

    accessor: str
    created: float
    ttl: int
    expires: float
    uses: int
    metadata: dict[str, str] = field(default_factory=dict)
    cidr_list: list[str] = field(default_factory=list)
    token_bound_cidrs: list[str] = field(default_factory=list)
    updated: float = 0.0

    def stored(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)
