"""The identity engine, at `identity/` in every vault: its API, and what the core asks it at each request.

Source: OpenBao's "Identity secrets engine" (entities, aliases, groups, lookups); OIDC, MFA and identity tokens are not here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from svault.identity.base import generated_name, new_id
from svault.identity.group_alias_paths import GroupAliasPaths
from svault.identity.lookup_paths import LookupPaths
from svault.identity.merge_paths import MergePaths
from svault.identity.model import Alias, Entity, Group
from svault.policy.templates import AliasValues, GroupValues, TemplateValues


class IdentityEngine(LookupPaths, MergePaths, GroupAliasPaths):
    """Entities and groups. All of them are in memory while the vault is unsealed, and stored before anybody sees them."""

    kind: ClassVar[str] = "identity"

    async def start(self) -> None:
        """Load what is stored. Raises StorageError."""
        self._values: dict[str, tuple[int, TemplateValues]] = {}
        await self.registry.load()

    def entity(self, identifier: str) -> Entity | None:
        """An entity by its id."""
        return self.registry.entities.get(identifier)

    def policies_of(self, identifier: str) -> tuple[list[str], list[str]]:
        """The names of an entity's own policies, and of those that its groups give it. Nothing for an unknown or disabled one."""
        entity = self.registry.entities.get(identifier)
        if entity is None or entity.is_disabled:
            return [], []
        direct, inherited = self.registry.groups_of(identifier)
        from_groups = {policy for group in (*direct, *inherited) for policy in group.policies or ()}
        return list(entity.policies), sorted(from_groups)

    def group_names(self, identifier: str) -> tuple[str, ...]:
        """The names of all groups that an entity belongs to, sorted."""
        direct, inherited = self.registry.groups_of(identifier)
        return tuple(sorted(group.name for group in (*direct, *inherited)))

    def template_values(self, identifier: str) -> TemplateValues | None:
        """What templated policies may ask about an entity; its revision stays until something about the entity changes."""
        entity = self.registry.entities.get(identifier)
        if entity is None:
            self._values.pop(identifier, None)
            return None
        revision = self.registry.revision
        seen, known = self._values.get(identifier, (0, None))
        if known is None or seen != revision:
            values = self._fresh_values(entity, known.revision if known else revision)
            # Somebody else's change leaves the revision as it was: what is compiled for this entity stays good.
            known = values if values == known else replace(values, revision=revision)
            self._values[identifier] = revision, known
        return known

    def _fresh_values(self, entity: Entity, revision: int) -> TemplateValues:
        direct, inherited = self.registry.groups_of(entity.id)
        return TemplateValues(
            entity_id=entity.id,
            name=entity.name,
            metadata=entity.metadata or {},
            aliases={
                alias.mount_accessor: AliasValues(alias.id, alias.name, alias.metadata or {}, alias.custom_metadata or {})
                for alias in entity.aliases
            },
            groups=tuple(GroupValues(group.id, group.name, group.metadata or {}) for group in (*direct, *inherited)),
            revision=revision,
        )

    async def entity_for_login(
        self, mount_accessor: str, alias_name: str, alias_metadata: Mapping[str, str], group_names: Iterable[str] | None = None
    ) -> Entity:
        """The entity that an auth mount knows under a name, made when there is none yet.

        `alias_metadata` replaces what the mount said before. `group_names`, when the mount knows groups, decides in which
        external groups of this mount the entity is. Raises StorageError.
        """
        found = self.registry.entity_of_alias(mount_accessor, alias_name)
        named = None if group_names is None else {name.lower() for name in group_names}
        if (
            found is not None
            and self._is_current(found, mount_accessor, alias_metadata)
            and (named is None or not self._regrouped(found.id, mount_accessor, named))
        ):
            return found
        async with self.writing():
            now = self.mount.clock.time()
            entity = self.registry.entity_of_alias(mount_accessor, alias_name)
            if entity is None:
                entity = Entity(new_id(), generated_name("entity"), now, now)
            alias = entity.alias_at(mount_accessor) or Alias(new_id(), alias_name, mount_accessor, now, now)
            if alias.metadata != (dict(alias_metadata) or None):
                alias = replace(alias, metadata=dict(alias_metadata) or None, updated=now)
            others = tuple(one for one in entity.aliases if one.id != alias.id)
            entity = replace(entity, aliases=(*others, alias))
            groups = [] if named is None else self._regrouped(entity.id, mount_accessor, named)
            changed = [] if entity == self.registry.entities.get(entity.id) else [entity]
            await self.registry.save(entities=changed, groups=groups)
        return self.registry.entities[entity.id]

    @staticmethod
    def _is_current(entity: Entity, accessor: str, metadata: Mapping[str, str]) -> bool:
        alias = entity.alias_at(accessor)
        return alias is not None and (alias.metadata or {}) == dict(metadata)

    def _regrouped(self, entity: str, accessor: str, names: set[str]) -> list[Group]:
        """The external groups of a mount whose membership a login changes, as they will be."""
        changed: list[Group] = []
        for group in self.registry.groups.values():
            if group.alias is None or group.alias.mount_accessor != accessor:
                continue
            if (group.alias.name.lower() in names) != (entity in group.entities):
                left = tuple(member for member in group.entities if member != entity)
                members = left if entity in group.entities else (*group.entities, entity)
                changed.append(replace(group, entities=members, index=group.index + 1))
        return changed
