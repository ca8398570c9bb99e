"""What every auth method lets its roles say about the tokens that a login makes: Vault's `token_*` fields."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from svault.errors import BadRequestError
from svault.logical.fields import Fields
from svault.logical.networks import networks
from svault.logical.request import Auth


@dataclass(slots=True)
class TokenParameters:
    """Times are seconds; 0 leaves it to the mount."""

    token_bound_cidrs: list[str] = field(default_factory=list)
    token_explicit_max_ttl: int = 0
    token_max_ttl: int = 0
    token_no_default_policy: bool = False
    token_num_uses: int = 0
    token_period: int = 0
    token_policies: list[str] = field(default_factory=list)
    token_strictly_bind_ip: bool = False
    token_ttl: int = 0
    token_type: str = "default"  # noqa: S105 - a kind of token, not one

    def updated(self, fields: Fields) -> Self:
        """The same with what a request says; what it leaves out stays. Raises BadRequestError."""
        changed = type(self)(
            networks(fields.strings("token_bound_cidrs", self.token_bound_cidrs)),
            fields.duration("token_explicit_max_ttl", self.token_explicit_max_ttl),
            fields.duration("token_max_ttl", fields.duration("max_ttl", self.token_max_ttl)),
            fields.boolean("token_no_default_policy", self.token_no_default_policy),
            fields.integer("token_num_uses", self.token_num_uses),
            fields.duration("token_period", fields.duration("period", self.token_period)),
            [name.lower() for name in fields.strings("token_policies", fields.strings("policies", self.token_policies))],
            fields.boolean("token_strictly_bind_ip", self.token_strictly_bind_ip),
            fields.duration("token_ttl", fields.duration("ttl", self.token_ttl)),
            fields.text("token_type", self.token_type),
        )
        if changed.token_type not in {"default", "service", "default-service"}:
            raise BadRequestError(f'token_type "{changed.token_type}" is not offered here: use "service"')
        for name in ("token_explicit_max_ttl", "token_max_ttl", "token_num_uses", "token_period", "token_ttl"):
            if getattr(changed, name) < 0:
                raise BadRequestError(f"'{name}' cannot be negative")
        if changed.token_max_ttl and changed.token_ttl > changed.token_max_ttl:
            raise BadRequestError("'token_ttl' cannot be greater than 'token_max_ttl'")
        return changed

    def stored(self) -> dict[str, Any]:
        """As it is stored, and read."""
        return asdict(self)

    def auth(self, display_name: str, alias: str, metadata: dict[str, str], internal: dict[str, Any]) -> Auth:
        """The login of somebody with these parameters."""
        return Auth(
            list(self.token_policies),
            display_name,
            alias,
            metadata,
            self.token_ttl,
            self.token_max_ttl,
            self.token_explicit_max_ttl,
            self.token_period,
            self.token_num_uses,
            bound_cidrs=self.token_bound_cidrs,
            no_default_policy=self.token_no_default_policy,
            binds_address=self.token_strictly_bind_ip,
            internal=internal,
        )
