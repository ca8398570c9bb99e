"""`identity/group-alias`: the external group behind a name at an auth mount. Source: OpenBao's API page on group aliases."""

from dataclasses import replace

from svault.errors import BadRequestError
from svault.identity.alias_paths import AliasPaths
from svault.identity.base import checked_name, generated_name, new_id
from svault.identity.model import EXTERNAL, Alias, Group
from svault.logical import Operation, Request, Response, route


class GroupAliasPaths(AliasPaths):
    """Aliases of external groups."""

    @route("group-alias", Operation.UPDATE)
    @route("group-alias/id/{id}", Operation.UPDATE)
    async def write_group_alias(self, request: Request) -> Response | None:
        """Make an alias of a group, or change or move the one with this id."""
        fields = request.fields
        identifier = request.args.get("id") or fields.text("id")
        async with self.writing():
            found = self.registry.group_alias(identifier) if identifier else None
            if identifier and found is None:
                raise BadRequestError("invalid group alias ID")
            name = checked_name(fields.required("name", "missing alias name"))
            accessor = fields.required("mount_accessor", "missing mount_accessor")
            now = self.mount.clock.time()
            before, alias = found or (None, Alias(new_id(), name, accessor, now, now))
            changed = replace(alias, name=name, mount_accessor=accessor)
            group = self._group(fields.text("canonical_id"), before, now)
            if before is not None and changed == alias and group.id == before.id:
                return None
            if self.checked_mount(accessor).is_local:
                raise BadRequestError(f'mount accessor "{accessor}" is a local mount')
            other = self.registry.group_of_alias(accessor, name)
            if other is not None and (other.alias is None or other.alias.id != alias.id):
                raise BadRequestError("combination of mount and group alias name is already in use")
            group = replace(group, alias=replace(changed, updated=now), updated=now, index=group.index + 1)
            moved = before is not None and before.id != group.id
            left = [replace(before, alias=None, index=before.index + 1)] if before is not None and moved else []
            await self.registry.save(groups=[*left, group])
        return Response(data={"id": alias.id, "canonical_id": group.id})

    def _group(self, identifier: str, before: Group | None, now: float) -> Group:
        if not identifier:
            return before or Group(new_id(), generated_name("group"), now, now, kind=EXTERNAL, index=0)
        group = self.registry.groups.get(identifier)
        if group is None:
            raise BadRequestError("invalid group ID given in 'canonical_id'")
        if group.kind != EXTERNAL:
            raise BadRequestError("alias can't be set on an internal group")
        return group

    @route("group-alias/id/{id}", Operation.READ)
    async def read_group_alias(self, request: Request) -> Response | None:
        """An alias of a group by its id."""
        found = self.registry.group_alias(request.args["id"])
        if found is None:
            return None
        group, alias = found
        return Response(data=self.alias_answer(alias, group.id) | self.local_answer(alias) | {"namespace_id": "root"})

    @route("group-alias/id/{id}", Operation.DELETE)
    async def delete_group_alias(self, request: Request) -> None:
        """Remove an alias; its group stays."""
        async with self.writing():
            found = self.registry.group_alias(request.args["id"])
            if found is not None:
                group, _ = found
                await self.registry.save(groups=[replace(group, alias=None, index=group.index + 1)])

    @route("group-alias/id", Operation.LIST)
    async def list_group_aliases(self, request: Request) -> Response | None:
        """Ids, with what they belong to."""
        owned = [(group.alias, group.id) for group in self.registry.groups.values() if group.alias is not None]
        info = {alias.id: self.listed_alias(alias, owner) for alias, owner in sorted(owned, key=lambda pair: pair[0].id)}
        return Response(data={"keys": list(info), "key_info": info}) if info else None
