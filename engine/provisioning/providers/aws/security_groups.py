"""Security groups. A group that names one which is not made yet is made without that rule; an update joins them afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from prov_judge.changes.leaves import leaves
from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.kind import Query, concerns, retag
from provisioning.providers.aws.network import found_in_ec2
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.rules import Atom, atoms_in, atoms_of, described, permission_of, rules_told, wanted_atoms
from provisioning.providers.aws.tags import filters_of, identity, name_told, specification, tags_of, tags_told, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, Found, Recorded, Wanted


def default_vpc(aws: Aws) -> str:
    """The account's default network. Raises ProviderError where it has none."""
    listed = aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])
    if not listed:
        raise ProviderError(
            f"AWS: {aws.region} has no default network, and the configuration names none",
            hint="Describe a network under `networking`, with a subnet, and name it.",
        )
    return str(listed[0]["VpcId"])


class SecurityGroupKind:
    """A group lets through what its rules say and nothing else: AWS's own rule that lets everything out is taken away."""

    name: ClassVar[str] = "security_group"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Made first, its rules afterwards."""
        listed = aws.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=filters_of(identity(wanted)))
        if listed:
            id_, vpc = listed[0]["GroupId"], listed[0]["VpcId"]
        else:
            refs = wanted.named("vpc")
            vpc = refs[0].id if refs else default_vpc(aws)
            made = aws.change(
                calls,
                "ec2",
                "create_security_group",
                GroupName=wanted.values["name"],
                Description=described(wanted.values.get("description")) or wanted.values["name"],
                VpcId=vpc,
                **specification("security-group", tags_of(wanted)),
            )
            id_ = made["GroupId"]
        group, names = self._group(aws, id_, vpc)
        has, shall = atoms_in(group, names), wanted_atoms(wanted)
        # What an earlier attempt made is as wanted; the only other rule is AWS's own.
        self._bring(aws, id_, names, has, shall, set(has) - set(shall), calls)
        return str(id_)

    def _group(self, aws: Aws, id_: str, vpc: str) -> tuple[Mapping[str, Any], dict[str, str]]:
        """The group as it is, and the names of all groups of its network by id."""
        groups = aws.described("describe_security_groups", "SecurityGroups", "vpc-id", [vpc])
        names = {group["GroupId"]: group["GroupName"] for group in groups}
        return next((group for group in groups if group["GroupId"] == id_), {}), names

    def _bring(
        self,
        aws: Aws,
        id_: str,
        names: Mapping[str, str],
        has: Mapping[Atom, str],
        shall: Mapping[Atom, str],
        going: set[Atom],
        calls: Calls,
    ) -> None:
        ids = {name: one for one, name in names.items()}
        missing = {atom: text for atom, text in shall.items() if atom not in has and (not atom.is_group or atom.peer in ids)}
        retold = {atom: text for atom, text in shall.items() if atom in has and has[atom] != text}
        for direction in ("ingress", "egress"):
            self._ask(aws, f"authorize_security_group_{direction}", id_, direction, missing.items(), ids, calls)
            self._ask(aws, f"update_security_group_rule_descriptions_{direction}", id_, direction, retold.items(), ids, calls)
            leaving = [(atom, "") for atom in sorted(going)]
            self._ask(aws, f"revoke_security_group_{direction}", id_, direction, leaving, ids, calls)

    def _ask(
        self,
        aws: Aws,
        operation: str,
        id_: str,
        direction: str,
        atoms: Iterable[tuple[Atom, str]],
        ids: Mapping[str, str],
        calls: Calls,
    ) -> None:
        permissions = [permission_of(atom, text, ids) for atom, text in atoms if atom.direction == direction]
        if permissions:
            aws.change(calls, "ec2", operation, GroupId=id_, IpPermissions=permissions)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Rules come, and go where `paths` names them: what somebody else added meanwhile is not touched unseen."""
        if concerns(paths, "rules"):
            group, names = self._group(aws, one.id, self._vpc_of(aws, one.id))
            has, shall = atoms_in(group, names), wanted_atoms(wanted)
            recorded = one.values.get("rules") or ()
            told = leaves({"rules": recorded}) | leaves({"rules": rules_told(has, recorded)})
            going: set[Atom] = set()
            for path in paths & set(told):
                going |= {atom for atom in atoms_of(told[path].value) if atom in has and atom not in shall}
            self._bring(aws, one.id, names, has, shall, going, calls)
        retag(aws, calls, one.id, wanted, paths)

    def _vpc_of(self, aws: Aws, id_: str) -> str:
        listed = aws.described("describe_security_groups", "SecurityGroups", "group-id", [id_])
        if not listed:
            raise ProviderError(f"AWS: security group {id_} is gone", hint="Refresh the state and plan again.")
        return str(listed[0]["VpcId"])

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Rules of our other groups that name it go first: two groups that name each other could never be deleted."""
        listed = aws.described("describe_security_groups", "SecurityGroups", "group-id", [one.id])
        if not listed:
            return
        lineage = unpaired(listed[0].get("Tags")).get(TAG_LINEAGE)
        others = aws.described("describe_security_groups", "SecurityGroups", "vpc-id", [listed[0]["VpcId"]])
        for group in others:
            if group["GroupId"] != one.id and lineage and unpaired(group.get("Tags")).get(TAG_LINEAGE) == lineage:
                _forget(aws, group, one.id, calls)
        aws.remove(calls, "ec2", "delete_security_group", GroupId=one.id)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Groups with their rules."""
        groups = found_in_ec2(aws, "describe_security_groups", "SecurityGroups", "group-id", query)
        groups = [group for group in groups if group["GroupName"] != "default"]
        named = {one["GroupId"] for group in groups for key in _WAYS for rule in group.get(key, ()) for one in _pairs(rule)}
        names = {group["GroupId"]: group["GroupName"] for group in groups}
        if unknown := named - set(names):
            others = aws.described("describe_security_groups", "SecurityGroups", "group-id", unknown)
            names |= {group["GroupId"]: group["GroupName"] for group in others}
        found = []
        for group in groups:
            id_, tags = group["GroupId"], unpaired(group.get("Tags"))
            values = query.values_of(id_)
            told = {
                **(name_told(tags, values) and {"name": group["GroupName"]}),
                **({"description": group["Description"]} if values and values.get("description") == group["Description"] else {}),
                "rules": rules_told(atoms_in(group, names), (values or {}).get("rules") or ()),
                **tags_told(tags, values),
            }
            outputs = {"id": id_, "vpc_id": group.get("VpcId", "")}
            found.append(Found(self.name, id_, "available", tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, {}, tags))
        return found


_WAYS = ("IpPermissions", "IpPermissionsEgress")


def _pairs(permission: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    pairs: Sequence[Mapping[str, str]] = permission.get("UserIdGroupPairs", ())
    return pairs


def _forget(aws: Aws, group: Mapping[str, Any], named: str, calls: Calls) -> None:
    """Take the rules that name a group out of another one."""
    for direction, key in zip(("ingress", "egress"), _WAYS, strict=True):
        going = []
        for permission in group.get(key, ()):
            pairs = [{"GroupId": one["GroupId"]} for one in _pairs(permission) if one["GroupId"] == named]
            if pairs:
                ports = {name: permission[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in permission}
                going.append({**ports, "UserIdGroupPairs": pairs})
        if going:
            operation = f"revoke_security_group_{direction}"
            aws.remove(calls, "ec2", operation, GroupId=group["GroupId"], IpPermissions=going)
