"""What a worker is told about a token and its entity, and how that travels."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from svault.auth.token.entry import WRAPPING, Token
from svault.core.authorize import identity_of
from svault.identity.model import Entity
from svault.logical.request import Identity
from svault.policy.templates import AliasValues, GroupValues, TemplateValues

if TYPE_CHECKING:
    from svault.core.active import Active


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """An entity, with what its groups bring."""

    entity: Entity
    policies: tuple[list[str], list[str]]
    groups: tuple[str, ...]
    values: TemplateValues


@dataclass(frozen=True, slots=True)
class Facts:
    """A token that lives. `deadline` is by the clock that never jumps, which all processes of a machine share; 0 is never."""

    token: Token
    identity: Identity
    deadline: float
    entity: KnownEntity | None


async def told(active: "Active", text: str) -> tuple[Any, ...] | None:
    """What a worker may know of a token; None when the active process decides: it is unknown, counted, or wraps an answer."""
    token = await active.tokens.find(text)
    if token is None or token.uses or WRAPPING in token.policies:
        return None
    lease = active.leases.own_lease(token.hash)
    deadline = lease.deadline if lease is not None and lease.expires else 0.0
    document = {name: getattr(token, name) for name in Token.__slots__}
    if not token.entity:
        return document, deadline, None
    entity, values = active.identity.entity(token.entity), active.identity.template_values(token.entity)
    if entity is None or values is None:
        return None
    about = (
        _plain(entity.stored()),
        active.identity.policies_of(entity.id),
        active.identity.group_names(entity.id),
        _plain(asdict(values)),
    )
    return document, deadline, about


def _plain(value: Any) -> Any:
    """Mappings of any kind as dicts: nothing else can be sent."""
    if isinstance(value, str | int | float | bytes) or value is None:
        return value
    if hasattr(value, "items"):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value]


def heard(message: tuple[Any, ...]) -> Facts:
    """The other direction of `told`."""
    document, deadline, about = message
    token = Token.decoded(document)
    known: KnownEntity | None = None
    if about is not None:
        entity, policies, groups, values = about
        known = KnownEntity(Entity.of(entity), policies, groups, _values(values))
    return Facts(token, identity_of(token), deadline, known)


def _values(sent: dict[str, Any]) -> TemplateValues:
    aliases = {accessor: AliasValues(**alias) for accessor, alias in sent["aliases"].items()}
    return TemplateValues(**{**sent, "aliases": aliases, "groups": tuple(GroupValues(**group) for group in sent["groups"])})
