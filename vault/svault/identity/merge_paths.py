"""`identity/entity/merge`: several entities that turned out to be one. Source: OpenBao's API page on entities."""

from dataclasses import replace

from svault.errors import BadRequestError
from svault.identity.base import IdentityPaths
from svault.identity.model import Alias, Entity, Group
from svault.logical import Operation, Request, route


class MergePaths(IdentityPaths):
    """Merging entities."""

    @route("entity/merge", Operation.UPDATE)
    async def merge(self, request: Request) -> None:
        """Give the aliases, policies and memberships of entities to another one, and remove them."""
        fields = request.fields
        target_id = fields.required("to_entity_id", "missing entity id to merge to")
        source_ids = list(dict.fromkeys(fields.strings("from_entity_ids")))
        kept = set(fields.strings("conflicting_alias_ids_to_keep"))
        if not source_ids:
            raise BadRequestError("missing entity ids to merge from")
        if target_id in source_ids:
            raise BadRequestError("to_entity_id should not be present in from_entity_ids")
        async with self.writing():
            target = self.registry.entities.get(target_id)
            if target is None:
                raise BadRequestError("entity id to merge to is invalid")
            sources = [self.registry.entities.get(identifier) for identifier in source_ids]
            if kept and len(sources) > 1:
                raise BadRequestError("conflicting_alias_ids_to_keep needs exactly one of from_entity_ids")
            merged, now = target, self.mount.clock.time()
            for source in sources:
                if source is None:
                    raise BadRequestError("entity id to merge from is invalid")
                merged = _merged(merged, source, kept)
            groups = [_moved(group, set(source_ids), target_id) for group in self.registry.groups.values()]
            changed = [group for group in groups if group is not self.registry.groups[group.id]]
            await self.registry.save(entities=[replace(merged, updated=now)], groups=changed, drop_entities=source_ids)


def _merged(target: Entity, source: Entity, kept: set[str]) -> Entity:
    aliases = {alias.mount_accessor: alias for alias in target.aliases}
    for alias in source.aliases:
        own = aliases.get(alias.mount_accessor)
        if own is not None and not {own.id, alias.id} & kept:
            raise BadRequestError(
                "both entities have an alias at the mount accessor "
                f"{alias.mount_accessor}: {own.id} and {alias.id}; name the one to keep in conflicting_alias_ids_to_keep"
            )
        if own is None or alias.id in kept:
            aliases[alias.mount_accessor] = _from(alias, source.id)
    return replace(
        target,
        aliases=tuple(aliases.values()),
        policies=tuple(sorted({*target.policies, *source.policies})),
        merged=(*target.merged, source.id),
    )


def _from(alias: Alias, entity: str) -> Alias:
    return replace(alias, merged_from=(*alias.merged_from, entity))


def _moved(group: Group, sources: set[str], target: str) -> Group:
    if not sources.intersection(group.entities):
        return group
    members = dict.fromkeys(target if member in sources else member for member in group.entities)
    return replace(group, entities=tuple(members), index=group.index + 1)
