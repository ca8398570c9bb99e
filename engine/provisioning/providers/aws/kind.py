"""The interface of one kind of resource at AWS: `provider.AwsProvider` has one for each and does what is the same for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from prov_judge.changes.things import names_at
from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.tags import differing, pairs, tags_of, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import Found, Recorded, Wanted


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for in a region: by ids, else by tags, else everything.

    `values` are the recorded values by id: what AWS tells is put into their shape (`observed.observed`).
    """

    ids: tuple[str, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def values_of(self, id_: str) -> Mapping[str, Any] | None:
        """The recorded values of one, None where nothing is recorded."""
        return self.values.get(id_)


class Kind(Protocol):
    """One kind. All methods may run again for the same thing and then complete what an earlier run began."""

    name: ClassVar[str]

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Make it or complete it; answers its id when it can be used. Raises ProviderErrors."""
        ...

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> str | None:
        """Bring what differs to the wanted values, in place; answers its id where that is another now. Raises ProviderErrors."""
        ...

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Remove it with its parts. Raises ProviderErrors."""
        ...

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """What there is. Raises ProviderErrors."""
        ...


def concerns(paths: frozenset[str], *fields: str) -> bool:
    """Whether an update is about any of these fields or what is below them."""
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for path in paths for one in fields)


def only(refs: Sequence[Any], what: str, wanted: Wanted) -> Any:
    """The one resource that a field must name. Raises ProviderError where there is none."""
    if not refs:
        raise ProviderError(
            f"AWS: {wanted.address} needs a {what}, and none of this configuration is made",
            hint=f"Name a {what} that is at AWS too.",
        )
    return refs[0]


def groups_named(wanted: Wanted, field: str) -> list[str]:
    """The ids of the security groups that a field names. Raises ProviderError where one of them is not made."""
    refs = {ref.address.partition(".")[2]: ref.id for ref in wanted.named(field)}
    names = names_at(wanted.values, field)
    if missing := [name for name in names if name not in refs]:
        raise ProviderError(
            f"AWS: {wanted.address} names the security group {missing[0]}, which is not made",
            hint="Describe it under `security_groups`, at AWS.",
        )
    return [refs[name] for name in names]


def retag(aws: Aws, calls: Calls, id_: str, wanted: Wanted, paths: frozenset[str], **more: str) -> None:
    """Bring the tags of an object of EC2 to what is wanted; keys that nobody wrote stay."""
    listed = aws.pages("ec2", "describe_tags", "Tags", Filters=[{"Name": "resource-id", "Values": [id_]}])
    setting, gone = differing(unpaired(listed), tags_of(wanted, **more), paths)
    if setting:
        aws.change(calls, "ec2", "create_tags", Resources=[id_], Tags=pairs(setting))
    if gone:
        aws.change(calls, "ec2", "delete_tags", Resources=[id_], Tags=[{"Key": key} for key in gone])


def refuse_protected(one: Recorded) -> None:
    """Raise ProviderError: it is protected against deletion, and the state says that it shall be."""
    raise ProviderError(
        f"AWS: {one.address} is protected against deletion",
        hint="Set deletion_protection = false, apply that, and delete it then.",
        address=one.address,
    )


def not_yet(one: str, why: str) -> ProviderBusyError:
    """What is asked for is not possible yet."""
    return ProviderBusyError(f"AWS: {one}: {why}")
