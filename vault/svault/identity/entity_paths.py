"""`identity/entity`: entities by id and by name. Source: OpenBao's API page "Identity secrets engine: entity"."""

from dataclasses import replace
from typing import Any

from svault.errors import BadRequestError
from svault.identity.base import IdentityPaths, checked_name, generated_name, new_id, pairs, policy_names
from svault.identity.model import Entity, Group
from svault.logical import Operation, Request, Response, rfc3339, route


class EntityPaths(IdentityPaths):
    """Entities."""

    @route("entity", Operation.UPDATE)
    @route("entity/id/{id}", Operation.UPDATE)
    @route("entity/name/{name:.+}", Operation.UPDATE)
    async def write_entity(self, request: Request) -> Response | None:
        """Make an entity, or change the one with this id or name."""
        fields = request.fields
        identifier = request.args.get("id") or fields.text("id")
        name = checked_name(request.args.get("name") or fields.text("name"))
        async with self.writing():
            before = self.registry.entities.get(identifier) if identifier else None
            if identifier and before is None:
                raise BadRequestError("entity not found from id")
            named = self.registry.entity_named(name) if name else None
            if before is not None and named is not None and named.id != before.id:
                raise BadRequestError("entity name is already in use")
            before = before or named
            now = self.mount.clock.time()
            entity = before or Entity(new_id(), generated_name("entity"), now, now)
            entity = replace(
                entity,
                name=name or entity.name,
                updated=now,
                policies=tuple(sorted(policy_names(fields))) if "policies" in fields else entity.policies,
                metadata=pairs(fields, "metadata") if "metadata" in fields else entity.metadata,
                is_disabled=fields.boolean("disabled", entity.is_disabled),
            )
            await self.registry.save(entities=[entity])
        return None if before else Response(data={"id": entity.id, "name": entity.name, "aliases": None})

    @route("entity/id/{id}", Operation.READ)
    async def read_entity_by_id(self, request: Request) -> Response | None:
        """An entity by its id."""
        return self.entity_answer(self.registry.entities.get(request.args["id"]))

    @route("entity/name/{name:.+}", Operation.READ)
    async def read_entity_by_name(self, request: Request) -> Response | None:
        """An entity by its name, whatever its case."""
        return self.entity_answer(self.registry.entity_named(request.args["name"]))

    @route("entity/id/{id}", Operation.DELETE)
    async def delete_entity_by_id(self, request: Request) -> None:
        """Remove an entity and its memberships."""
        await self._drop_entities([request.args["id"]])

    @route("entity/name/{name:.+}", Operation.DELETE)
    async def delete_entity_by_name(self, request: Request) -> None:
        """Remove an entity and its memberships."""
        entity = self.registry.entity_named(request.args["name"])
        await self._drop_entities([entity.id] if entity else [])

    @route("entity/batch-delete", Operation.UPDATE)
    async def delete_entities(self, request: Request) -> None:
        """Remove several entities at once; unknown ids are no error."""
        identifiers = request.fields.strings("entity_ids")
        if not identifiers:
            raise BadRequestError("missing entity ids to delete")
        await self._drop_entities(identifiers)

    async def _drop_entities(self, identifiers: list[str]) -> None:
        async with self.writing():
            gone = {identifier for identifier in identifiers if identifier in self.registry.entities}
            groups = [_without(group, gone) for group in self.registry.groups.values() if gone.intersection(group.entities)]
            await self.registry.save(groups=groups, drop_entities=gone)

    @route("entity/id", Operation.LIST)
    async def list_entities_by_id(self, request: Request) -> Response | None:
        """Ids, with names and aliases."""
        entities = sorted(self.registry.entities.values(), key=lambda entity: entity.id)
        info = {entity.id: self._listed(entity) for entity in entities}
        return Response(data={"keys": list(info), "key_info": info}) if info else None

    @route("entity/name", Operation.LIST)
    async def list_entities_by_name(self, request: Request) -> Response | None:
        """Names."""
        names = sorted(entity.name for entity in self.registry.entities.values())
        return Response(data={"keys": names}) if names else None

    def _listed(self, entity: Entity) -> dict[str, Any]:
        aliases = [
            {"id": alias.id, "name": alias.name, "mount_accessor": alias.mount_accessor, **self.mount_answer(alias)}
            for alias in entity.aliases
        ]
        return {"name": entity.name} | ({"aliases": aliases} if aliases else {})

    def entity_answer(self, entity: Entity | None) -> Response | None:
        """An entity as the API shows it."""
        if entity is None:
            return None
        direct, inherited = ([group.id for group in groups] for groups in self.registry.groups_of(entity.id))
        data = {
            "id": entity.id,
            "name": entity.name,
            "metadata": entity.metadata,
            "policies": list(entity.policies),
            "disabled": entity.is_disabled,
            "namespace_id": "root",
            "creation_time": rfc3339(entity.created),
            "last_update_time": rfc3339(entity.updated),
            "merged_entity_ids": list(entity.merged) or None,
            "aliases": [self.alias_answer(alias, entity.id) | self.local_answer(alias) for alias in entity.aliases],
            "direct_group_ids": direct,
            "inherited_group_ids": inherited,
            "group_ids": direct + inherited,
        }
        return Response(data=data)


def _without(group: Group, gone: set[str]) -> Group:
    return replace(group, entities=tuple(member for member in group.entities if member not in gone), index=group.index + 1)
