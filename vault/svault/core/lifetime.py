"""How long a lease or token may last: Vault's rules, in one place."""

from dataclasses import dataclass

from svault.errors import BadRequestError
from svault.logical.durations import format_duration


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What was asked for and what bounds it, in seconds; 0 is "not said".

    `age` is how long it has lasted already (at a renewal), `limit` the mount's maximum, `own_max` the role's, `explicit_max` one
    that nothing lifts, `period` of a periodic token, which has no maximum but that one.
    """

    asked: int
    default: int
    limit: int
    own_max: int = 0
    explicit_max: int = 0
    period: int = 0
    age: int = 0

    def granted(self) -> tuple[int, list[str]]:
        """The seconds granted and a warning for each bound that cut them. Raises BadRequestError when none are left."""
        warnings: list[str] = []
        if self.period:
            ttl = min(self.period, self.limit)
            if self.period > self.limit:
                warnings.append(
                    _capped("period", self.period, self.limit, "explicit_max_ttl" if self.explicit_max else "max TTL")
                )
        else:
            ttl = self.asked if self.asked > 0 else self.default
            bound = min(self.limit, self.own_max) if self.own_max else self.limit
            left = bound - self.age
            if ttl > left:
                warnings.append(_capped("TTL", ttl, max(left, 0), "max_ttl"))
                ttl = left
        if self.explicit_max and ttl > self.explicit_max - self.age:
            ttl = self.explicit_max - self.age
            warnings.append(_capped("TTL", self.asked or self.default, max(ttl, 0), "max_ttl"))
        if ttl <= 0:
            raise BadRequestError("past the max TTL, cannot renew")
        return ttl, warnings


def _capped(what: str, asked: int, granted: int, by: str) -> str:
    bound = f'the effective {by} of "{format_duration(granted)}"'
    return f'{what} of "{format_duration(asked)}" exceeded {bound}; {what} value is capped accordingly'
