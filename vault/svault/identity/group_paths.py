"""`identity/group`: groups by id and by name. Source: OpenBao's API page "Identity secrets engine: group"."""

from collections.abc import Sequence
from dataclasses import replace

from svault.errors import BadRequestError
from svault.identity.base import IdentityPaths, checked_name, generated_name, new_id, pairs, policy_names
from svault.identity.model import EXTERNAL, INTERNAL, Group
from svault.logical import Fields, Operation, Request, Response, rfc3339, route


class GroupPaths(IdentityPaths):
    """Groups."""

    @route("group", Operation.UPDATE)
    @route("group/id/{id}", Operation.UPDATE)
    @route("group/name/{name:.+}", Operation.UPDATE)
    async def write_group(self, request: Request) -> Response | None:
        """Make a group, or change the one with this id or name."""
        fields = request.fields
        identifier = request.args.get("id") or fields.text("id")
        name = checked_name(request.args.get("name") or fields.text("name"))
        async with self.writing():
            before = self.registry.groups.get(identifier) if identifier else None
            if identifier and before is None:
                raise BadRequestError("invalid group ID")
            named = self.registry.group_named(name) if name else None
            if before is not None and named is not None and named.id != before.id:
                raise BadRequestError("group name is already in use")
            before = before or named
            now = self.mount.clock.time()
            group = before or Group(new_id(), generated_name("group"), now, now, kind=fields.text("type", INTERNAL), index=0)
            self._check_kind(group, fields)
            group = replace(
                group,
                name=name or group.name,
                updated=now,
                policies=policy_names(fields) if "policies" in fields else group.policies,
                metadata=pairs(fields, "metadata") if "metadata" in fields else group.metadata,
                entities=self._entities(fields) if "member_entity_ids" in fields else group.entities,
                groups=self._groups(group.id, fields) if "member_group_ids" in fields else group.groups,
                index=group.index + 1,
            )
            await self.registry.save(groups=[group])
        return None if before else Response(data={"id": group.id, "name": group.name})

    @staticmethod
    def _check_kind(group: Group, fields: Fields) -> None:
        if group.kind not in {INTERNAL, EXTERNAL}:
            raise BadRequestError(f'invalid group type "{group.kind}"')
        if fields.text("type", group.kind) != group.kind:
            raise BadRequestError("group type cannot be changed")
        if group.kind == EXTERNAL and "member_entity_ids" in fields:
            raise BadRequestError("member entities can't be set manually for external groups")
        if group.kind == EXTERNAL and "member_group_ids" in fields:
            raise BadRequestError("member groups can't be set for external groups")

    def _entities(self, fields: Fields) -> tuple[str, ...]:
        members = tuple(dict.fromkeys(fields.strings("member_entity_ids")))
        for member in members:
            if member not in self.registry.entities:
                raise BadRequestError(f'invalid entity ID "{member}"')
        return members

    def _groups(self, group: str, fields: Fields) -> tuple[str, ...]:
        members = tuple(dict.fromkeys(fields.strings("member_group_ids")))
        for member in members:
            if member == group:
                raise BadRequestError(f'member group ID "{member}" is same as the ID of the group')
            if member not in self.registry.groups:
                raise BadRequestError(f'invalid member group ID "{member}"')
            if self.registry.is_below(group, member):
                raise BadRequestError(f'cyclic relationship detected for member group ID "{member}"')
        return members

    @route("group/id/{id}", Operation.READ)
    async def read_group_by_id(self, request: Request) -> Response | None:
        """A group by its id."""
        return self.group_answer(self.registry.groups.get(request.args["id"]))

    @route("group/name/{name:.+}", Operation.READ)
    async def read_group_by_name(self, request: Request) -> Response | None:
        """A group by its name, whatever its case."""
        return self.group_answer(self.registry.group_named(request.args["name"]))

    @route("group/id/{id}", Operation.DELETE)
    async def delete_group_by_id(self, request: Request) -> None:
        """Remove a group and its memberships."""
        await self._drop_group(self.registry.groups.get(request.args["id"]))

    @route("group/name/{name:.+}", Operation.DELETE)
    async def delete_group_by_name(self, request: Request) -> None:
        """Remove a group and its memberships."""
        await self._drop_group(self.registry.group_named(request.args["name"]))

    async def _drop_group(self, group: Group | None) -> None:
        async with self.writing():
            if group is None or group.id not in self.registry.groups:
                return
            parents = [self.registry.groups[parent] for parent in self.registry.parents(group.id)]
            left = [replace(one, groups=_others(one.groups, group.id), index=one.index + 1) for one in parents]
            await self.registry.save(groups=left, drop_groups=[group.id])

    @route("group/id", Operation.LIST)
    async def list_groups_by_id(self, request: Request) -> Response | None:
        """Ids, with names and how many members and parents there are."""
        info = {
            group.id: {
                "name": group.name,
                "num_member_entities": len(group.entities),
                "num_parent_groups": len(self.registry.parents(group.id)),
            }
            for group in sorted(self.registry.groups.values(), key=lambda group: group.id)
        }
        return Response(data={"keys": list(info), "key_info": info}) if info else None

    @route("group/name", Operation.LIST)
    async def list_groups_by_name(self, request: Request) -> Response | None:
        """Names."""
        names = sorted(group.name for group in self.registry.groups.values())
        return Response(data={"keys": names}) if names else None

    def group_answer(self, group: Group | None) -> Response | None:
        """A group as the API shows it."""
        if group is None:
            return None
        data = {
            "id": group.id,
            "name": group.name,
            "type": group.kind,
            "policies": None if group.policies is None else list(group.policies),
            "metadata": group.metadata,
            "member_entity_ids": list(group.entities) or None,
            "member_group_ids": list(group.groups) or None,
            "parent_group_ids": self.registry.parents(group.id) or None,
            "alias": {} if group.alias is None else self.alias_answer(group.alias, group.id),
            "modify_index": group.index,
            "namespace_id": "root",
            "creation_time": rfc3339(group.created),
            "last_update_time": rfc3339(group.updated),
        }
        return Response(data=data)


def _others(members: Sequence[str], gone: str) -> tuple[str, ...]:
    return tuple(member for member in members if member != gone)
