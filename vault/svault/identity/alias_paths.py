"""`identity/entity-alias`: which entity a name at an auth mount belongs to. Source: OpenBao's API page on entity aliases."""

from dataclasses import replace

from svault.errors import BadRequestError
from svault.identity.base import IdentityPaths, checked_name, generated_name, new_id, pairs
from svault.identity.model import Alias, Entity
from svault.logical import Operation, Request, Response, route


class AliasPaths(IdentityPaths):
    """Aliases of entities."""

    @route("entity-alias", Operation.UPDATE)
    @route("entity-alias/id/{id}", Operation.UPDATE)
    async def write_alias(self, request: Request) -> Response | None:
        """Make an alias, or change the one with this id, or with this name at this mount."""
        fields = request.fields
        identifier = request.args.get("id") or fields.text("id")
        name, accessor = checked_name(fields.text("name")), fields.text("mount_accessor")
        owner = fields.text("canonical_id") or fields.text("entity_id")
        custom = pairs(fields, "custom_metadata") if "custom_metadata" in fields else None
        async with self.writing():
            if identifier:
                found = self.registry.entity_alias(identifier)
                if found is None:
                    raise BadRequestError("invalid alias ID provided")
                return await self._update(*found, name, accessor, owner, custom)
            if not name or not accessor:
                raise BadRequestError("'id' or 'mount_accessor' and 'name' must be provided")
            self.checked_mount(accessor)
            entity = self.registry.entity_of_alias(accessor, name)
            if entity is not None:
                alias = entity.alias_at(accessor)
                assert alias is not None
                return await self._update(entity, alias, name, accessor, owner, custom)
            return await self._create(name, accessor, owner, custom)

    async def _create(self, name: str, accessor: str, owner: str, custom: dict[str, str] | None) -> Response:
        now = self.mount.clock.time()
        entity = self.registry.entities.get(owner) if owner else Entity(new_id(), generated_name("entity"), now, now)
        if entity is None:
            raise BadRequestError("invalid canonical ID")
        if entity.alias_at(accessor) is not None:
            raise BadRequestError("Alias already exists for requested entity and mount accessor")
        alias = Alias(new_id(), name, accessor, now, now, custom_metadata=custom or {})
        await self.registry.save(entities=[replace(entity, aliases=(*entity.aliases, alias))])
        return Response(data={"id": alias.id, "canonical_id": entity.id})

    async def _update(
        self, entity: Entity, alias: Alias, name: str, accessor: str, owner: str, custom: dict[str, str] | None
    ) -> Response | None:
        changed = replace(
            alias,
            name=name or alias.name,
            mount_accessor=accessor or alias.mount_accessor,
            custom_metadata=alias.custom_metadata if custom is None else custom,
        )
        target = self.registry.entities.get(owner) if owner else entity
        if target is None:
            raise BadRequestError("given 'canonical_id' is not associated with an entity")
        if changed == alias and target is entity:
            return None
        self.checked_mount(changed.mount_accessor)
        other = self.registry.entity_of_alias(*changed.key)
        if other is not None and other.alias_at(changed.mount_accessor) is not alias:
            raise BadRequestError("alias with combination of mount accessor and name already exists")
        at_target = target.alias_at(changed.mount_accessor)
        if at_target is not None and at_target is not alias:
            raise BadRequestError("Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ")
        shown = (alias.custom_metadata or None) if custom is None else custom  # once changed, Vault shows nothing as null
        changed = replace(changed, updated=self.mount.clock.time(), custom_metadata=shown)
        left = replace(entity, aliases=tuple(one for one in entity.aliases if one.id != alias.id))
        if target is entity:
            await self.registry.save(entities=[replace(left, aliases=(*left.aliases, changed))])
        else:
            await self.registry.save(entities=[left, replace(target, aliases=(*target.aliases, changed))])
        return Response(data={"id": alias.id, "canonical_id": target.id})

    @route("entity-alias/id/{id}", Operation.READ)
    async def read_alias(self, request: Request) -> Response | None:
        """An alias by its id."""
        found = self.registry.entity_alias(request.args["id"])
        if found is None:
            return None
        entity, alias = found
        return Response(data=self.alias_answer(alias, entity.id) | self.local_answer(alias) | {"namespace_id": "root"})

    @route("entity-alias/id/{id}", Operation.DELETE)
    async def delete_alias(self, request: Request) -> None:
        """Remove an alias; its entity stays."""
        async with self.writing():
            found = self.registry.entity_alias(request.args["id"])
            if found is not None:
                entity, alias = found
                left = tuple(one for one in entity.aliases if one.id != alias.id)
                await self.registry.save(entities=[replace(entity, aliases=left)])

    @route("entity-alias/id", Operation.LIST)
    async def list_aliases(self, request: Request) -> Response | None:
        """Ids, with what they belong to."""
        owned = [(alias, entity.id) for entity in self.registry.entities.values() for alias in entity.aliases]
        info = {alias.id: self.listed_alias(alias, owner) for alias, owner in sorted(owned, key=lambda pair: pair[0].id)}
        return Response(data={"keys": list(info), "key_info": info}) if info else None

    def listed_alias(self, alias: Alias, owner: str) -> dict[str, object]:
        """An alias in a list."""
        return {
            "name": alias.name,
            "canonical_id": owner,
            "mount_accessor": alias.mount_accessor,
            "metadata": alias.metadata,
            **self.mount_answer(alias),
            **self.local_answer(alias),
        }
