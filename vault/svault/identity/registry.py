"""All entities and groups in memory, with what they are found by; every change is stored first, in one commit."""

from collections.abc import Iterable

from svault.barrier.view import View, encoded
from svault.identity.model import Alias, Entity, Group


class Registry:
    """Entities and groups by id, name and alias. `revision` grows with every change."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._clear()
        self.revision = 0

    def _clear(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.groups: dict[str, Group] = {}
        self._entity_names: dict[str, str] = {}
        self._group_names: dict[str, str] = {}
        self._entity_aliases: dict[tuple[str, str], str] = {}
        self._group_aliases: dict[tuple[str, str], str] = {}
        self._alias_owners: dict[str, str] = {}
        self._groups_of_entity: dict[str, set[str]] = {}
        self._parents: dict[str, set[str]] = {}

    async def load(self) -> None:
        """Read everything from the storage. Raises StorageError."""
        self._clear()
        for identifier in await self._view.list("entity/"):
            self._hold_entity(Entity.of(await self._view.read(f"entity/{identifier}")))
        for identifier in await self._view.list("group/"):
            self._hold_group(Group.of(await self._view.read(f"group/{identifier}")))
        self.revision += 1

    async def save(
        self,
        *,
        entities: Iterable[Entity] = (),
        groups: Iterable[Group] = (),
        drop_entities: Iterable[str] = (),
        drop_groups: Iterable[str] = (),
    ) -> None:
        """Write all of it at once, then hold it in memory. Raises StorageError, and then nothing has changed."""
        entities, groups, drop_entities, drop_groups = list(entities), list(groups), list(drop_entities), list(drop_groups)
        changes: dict[str, bytes | None] = {f"entity/{identifier}": None for identifier in drop_entities}
        changes |= {f"group/{identifier}": None for identifier in drop_groups}
        changes |= {f"entity/{entity.id}": encoded(entity.stored()) for entity in entities}
        changes |= {f"group/{group.id}": encoded(group.stored()) for group in groups}
        if not changes:
            return
        await self._view.commit(changes)
        for identifier in (*drop_entities, *(entity.id for entity in entities)):
            self._let_go_of_entity(identifier)
        for identifier in (*drop_groups, *(group.id for group in groups)):
            self._let_go_of_group(identifier)
        for entity in entities:
            self._hold_entity(entity)
        for group in groups:
            self._hold_group(group)
        self.revision += 1

    def _hold_entity(self, entity: Entity) -> None:
        self.entities[entity.id] = entity
        self._entity_names[entity.name.lower()] = entity.id
        for alias in entity.aliases:
            self._entity_aliases[alias.key] = entity.id
            self._alias_owners[alias.id] = entity.id

    def _let_go_of_entity(self, identifier: str) -> None:
        entity = self.entities.pop(identifier, None)
        if entity is not None:
            del self._entity_names[entity.name.lower()]
            for alias in entity.aliases:
                del self._entity_aliases[alias.key]
                del self._alias_owners[alias.id]

    def _hold_group(self, group: Group) -> None:
        self.groups[group.id] = group
        self._group_names[group.name.lower()] = group.id
        if group.alias is not None:
            self._group_aliases[group.alias.key] = group.id
            self._alias_owners[group.alias.id] = group.id
        for member in group.entities:
            self._groups_of_entity.setdefault(member, set()).add(group.id)
        for member in group.groups:
            self._parents.setdefault(member, set()).add(group.id)

    def _let_go_of_group(self, identifier: str) -> None:
        group = self.groups.pop(identifier, None)
        if group is None:
            return
        del self._group_names[group.name.lower()]
        if group.alias is not None:
            del self._group_aliases[group.alias.key]
            del self._alias_owners[group.alias.id]
        for member in group.entities:
            self._groups_of_entity[member].discard(identifier)
        for member in group.groups:
            self._parents[member].discard(identifier)

    def entity_named(self, name: str) -> Entity | None:
        """The entity of a name, whatever its case."""
        return self.entities.get(self._entity_names.get(name.lower(), ""))

    def entity_of_alias(self, accessor: str, name: str) -> Entity | None:
        """The entity that a mount knows under a name."""
        return self.entities.get(self._entity_aliases.get((accessor, name.lower()), ""))

    def entity_alias(self, identifier: str) -> tuple[Entity, Alias] | None:
        """An entity's alias by its id, with its entity."""
        entity = self.entities.get(self._alias_owners.get(identifier, ""))
        return None if entity is None else (entity, next(alias for alias in entity.aliases if alias.id == identifier))

    def group_named(self, name: str) -> Group | None:
        """The group of a name, whatever its case."""
        return self.groups.get(self._group_names.get(name.lower(), ""))

    def group_of_alias(self, accessor: str, name: str) -> Group | None:
        """The external group that a mount knows under a name."""
        return self.groups.get(self._group_aliases.get((accessor, name.lower()), ""))

    def group_alias(self, identifier: str) -> tuple[Group, Alias] | None:
        """A group's alias by its id, with its group."""
        group = self.groups.get(self._alias_owners.get(identifier, ""))
        return None if group is None or group.alias is None else (group, group.alias)

    def parents(self, group: str) -> list[str]:
        """The groups that a group is a member of, sorted."""
        return sorted(self._parents.get(group, ()))

    def groups_of(self, entity: str) -> tuple[list[Group], list[Group]]:
        """The groups that an entity is a member of, and those that it belongs to through other groups; each sorted by id."""
        direct = self._groups_of_entity.get(entity, set())
        seen, waiting = set(direct), list(direct)
        while waiting:
            above = self._parents.get(waiting.pop(), set()) - seen
            seen |= above
            waiting += above
        return [self.groups[one] for one in sorted(direct)], [self.groups[one] for one in sorted(seen - direct)]

    def is_below(self, group: str, other: str) -> bool:
        """Whether a group is `other`, or a member of it through any number of groups."""
        seen, waiting = {group}, [group]
        while waiting:
            above = self._parents.get(waiting.pop(), set()) - seen
            seen |= above
            waiting += above
        return other in seen
