"""Which fields name other resources, in one table: what waits for what follows from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item, resources

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of a kind that names others. `field` is dotted, `[]` stands for each element of a list."""

    kind: str
    field: str
    targets: tuple[str, ...]
    what: str


# Kinds named here are those of `model.kinds`, and `subnet` and `vpc`, which live inside `networking`.
REFERENCES = (
    Reference("server", "networking.vpc", ("vpc",), "network"),
    Reference("server", "networking.subnet", ("subnet",), "subnet"),
    Reference("server", "networking.security_groups[]", ("security_group",), "security group"),
    Reference("security_group", "vpc", ("vpc",), "network"),
    Reference("security_group", "rules[].groups[]", ("security_group",), "security group"),
    Reference("kubernetes", "networking.vpc", ("vpc",), "network"),
    Reference("kubernetes", "networking.subnets[]", ("subnet",), "subnet"),
    Reference("kubernetes", "kms_key", ("kms_key",), "key"),
    Reference("workload", "cluster", ("kubernetes",), "cluster"),
    Reference("database", "subnets[]", ("subnet",), "subnet"),
    Reference("database", "security_groups[]", ("security_group",), "security group"),
    Reference("database", "kms_key", ("kms_key",), "key"),
    Reference("cache", "subnets[]", ("subnet",), "subnet"),
    Reference("cache", "security_groups[]", ("security_group",), "security group"),
    Reference("load_balancer", "listeners[].certificate", ("certificate",), "certificate"),
    Reference("load_balancer", "targets[]", ("server", "kubernetes", "workload"), "server, cluster or workload"),
    Reference("load_balancer", "subnets[]", ("subnet",), "subnet"),
    Reference("load_balancer", "security_groups[]", ("security_group",), "security group"),
    Reference("load_balancer", "log_bucket", ("bucket",), "bucket"),
    Reference("bucket", "log_bucket", ("bucket",), "bucket"),
    Reference("bucket", "kms_key", ("kms_key",), "key"),
    Reference("volume", "attached_to", ("server",), "server"),
    Reference("volume", "kms_key", ("kms_key",), "key"),
    Reference("file_system", "subnets[]", ("subnet",), "subnet"),
    Reference("file_system", "kms_key", ("kms_key",), "key"),
    Reference("queue", "kms_key", ("kms_key",), "key"),
    Reference("log_group", "kms_key", ("kms_key",), "key"),
    Reference("dns", "records[].target", ("load_balancer", "server"), "load balancer or server"),
    Reference("backup", "targets[]", ("server", "kubernetes", "database", "volume", "file_system", "bucket"), "resource"),
    Reference("backup", "kms_key", ("kms_key",), "key"),
    Reference("taskserv", "targets[]", ("server", "kubernetes"), "server or cluster"),
    Reference("security", "iam_users[].policies[]", ("iam_policy",), "policy"),
)

_OF_KIND: dict[str, list[Reference]] = {}
for _reference in REFERENCES:
    _OF_KIND.setdefault(_reference.kind, []).append(_reference)


@dataclass(frozen=True, slots=True)
class Named:
    """One name that a resource holds: `where` is its path in the configuration."""

    item: Item
    reference: Reference
    where: Path
    name: str


def references(config: InfrastructureConfig) -> Iterator[Named]:
    """Every name of another resource that the configuration holds, whether or not that one exists."""
    for item in resources(config):
        for reference in _OF_KIND.get(item.kind.name, ()):
            for where, name in _values(item.record, reference.field.split("."), item.path):
                yield Named(item, reference, where, name)


def known_names(config: InfrastructureConfig) -> Mapping[str, tuple[str, ...]]:
    """The names that can be referred to, by kind."""
    names: dict[str, list[str]] = {}
    for item in resources(config):
        if item.kind.is_list and hasattr(item.record, "name"):
            names.setdefault(item.kind.name, []).append(item.record.name)
    networking = config.networking
    if networking:
        names["vpc"] = [networking.name, *(vpc.name for vpc in networking.vpcs)]
        subnets = [*networking.subnets, *(subnet for vpc in networking.vpcs for subnet in vpc.subnets)]
        names["subnet"] = [subnet.name for subnet in subnets]
    if config.security:
        names["iam_policy"] = [policy.name for policy in config.security.iam_policies]
    return {kind: tuple(found) for kind, found in names.items()}


def _values(value: object, steps: list[str], where: Path) -> Iterator[tuple[Path, str]]:
    """Every name that a dotted field holds, with its path."""
    if value is None:
        return
    if not steps:
        yield where, str(value)
        return
    step, each = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    inner = getattr(value, step)
    if each:
        for index, element in enumerate(inner):
            yield from _values(element, steps[1:], (*where, step, index))
    else:
        yield from _values(inner, steps[1:], (*where, step))
