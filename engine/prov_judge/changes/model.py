"""A change: what happens to one resource, which fields differ, and why."""

from dataclasses import dataclass
from typing import Any, Literal

from prov_gen.model.kinds import Item

Action = Literal["create", "update", "replace", "delete", "no_op"]
"""As Terraform calls them; a rename is an `update` or a `no_op` with `previous`."""

Impact = Literal["none", "restart", "replace"]
"""What changing a field does to the running thing."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `path` is dotted, within the resource; None stands for "not there".

    Values are as the configuration has them, secrets too: `masking.shown` says what of them may be told.
    """

    path: str
    before: Any
    after: Any
    impact: Impact = "none"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource. `address` is kind.name; `before` and `after` are its records with their places.

    `previous` is the address that a renamed resource had. `reasons` say why it is replaced, in words.
    """

    address: str
    action: Action
    before: Item | None
    after: Item | None
    fields: tuple[FieldChange, ...] = ()
    reasons: tuple[str, ...] = ()
    previous: str | None = None
