"""Token roles: what a token made through one may ask for."""

import fnmatch
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from svault.errors import BadRequestError
from svault.logical.fields import Fields
from svault.logical.networks import networks


@dataclass(slots=True)
class TokenRole:
    """A role, by Vault's names of the fields. Times are seconds."""

    name: str
    allowed_policies: list[str] = field(default_factory=list)
    allowed_policies_glob: list[str] = field(default_factory=list)
    disallowed_policies: list[str] = field(default_factory=list)
    disallowed_policies_glob: list[str] = field(default_factory=list)
    allowed_entity_aliases: list[str] = field(default_factory=list)
    orphan: bool = False
    renewable: bool = True
    path_suffix: str = ""
    token_bound_cidrs: list[str] = field(default_factory=list)
    token_explicit_max_ttl: int = 0
    token_no_default_policy: bool = False
    token_num_uses: int = 0
    token_period: int = 0
    token_type: str = "default-service"  # noqa: S105 - a kind of token, not one

    def update(self, fields: Fields) -> None:
        """Take what a request says; what it leaves out stays. Raises BadRequestError."""
        for name in ("allowed_policies", "disallowed_policies"):
            setattr(self, name, [text.lower() for text in fields.strings(name, getattr(self, name))])
        for name in ("allowed_policies_glob", "disallowed_policies_glob", "allowed_entity_aliases"):
            setattr(self, name, fields.strings(name, getattr(self, name)))
        self.token_bound_cidrs = networks(fields.strings("token_bound_cidrs", self.token_bound_cidrs))
        self.orphan = fields.boolean("orphan", self.orphan)
        self.renewable = fields.boolean("renewable", self.renewable)
        self.token_no_default_policy = fields.boolean("token_no_default_policy", self.token_no_default_policy)
        self.token_num_uses = fields.integer("token_num_uses", self.token_num_uses)
        self.path_suffix = fields.text("path_suffix", self.path_suffix)
        # The names without `token_` are the old ones.
        self.token_period = fields.duration("token_period", fields.duration("period", self.token_period))
        self.token_explicit_max_ttl = fields.duration(
            "token_explicit_max_ttl", fields.duration("explicit_max_ttl", self.token_explicit_max_ttl)
        )
        self.token_type = fields.text("token_type", self.token_type)
        if self.token_type not in {"default-service", "service"}:
            raise BadRequestError(f'token_type "{self.token_type}" is not offered here: use "service"')
        if self.path_suffix and not re.fullmatch(r"\w[\w.-]+\w", self.path_suffix):
            raise BadRequestError(r"given role path suffix contains invalid characters; must match \w[\w-.]+\w")
        if self.token_num_uses < 0 or self.token_period < 0 or self.token_explicit_max_ttl < 0:
            raise BadRequestError("a number of uses, a period and a TTL cannot be negative")

    def stored(self) -> dict[str, Any]:
        """As it is stored, and read."""
        return asdict(self)

    @property
    def has_lists(self) -> bool:
        """Whether the role says which policies; else a child has no more than its parent."""
        lists = (self.allowed_policies, self.allowed_policies_glob, self.disallowed_policies, self.disallowed_policies_glob)
        return any(lists)

    def policies(self, asked: list[str], parent: list[str]) -> list[str]:
        """The policies of a token made with this role. Raises BadRequestError for one that the role does not allow."""
        if not asked:
            asked = self.allowed_policies or ([] if self.allowed_policies_glob else [name for name in parent if name != "root"])
        for name in asked:
            is_limited = self.allowed_policies or self.allowed_policies_glob
            allowed = name in self.allowed_policies or _matches(name, self.allowed_policies_glob) or name == "default"
            if (is_limited and not allowed) or name in self.disallowed_policies or _matches(name, self.disallowed_policies_glob):
                raise BadRequestError(f"token policies ({[name]}) must be subset of the role's allowed policies")
        return asked


def _matches(name: str, globs: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)
