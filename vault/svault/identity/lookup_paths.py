"""`identity/lookup`: an entity or group by any one of its id, name, alias id, or alias name and mount. 204 when there is none."""

from svault.errors import BadRequestError
from svault.identity.entity_paths import EntityPaths
from svault.identity.group_paths import GroupPaths
from svault.logical import Fields, Operation, Request, Response, route

_SINGLE = ("id", "name", "alias_id")
_FACTORS = ("alias_name", "alias_mount_accessor")


class LookupPaths(EntityPaths, GroupPaths):
    """Lookups."""

    @route("lookup/entity", Operation.UPDATE)
    async def look_up_entity(self, request: Request) -> Response | None:
        """The entity that the query finds."""
        kind, *values = _query(request.fields)
        if kind == "id":
            return self.entity_answer(self.registry.entities.get(values[0]))
        if kind == "name":
            return self.entity_answer(self.registry.entity_named(values[0]))
        if kind == "alias_id":
            found = self.registry.entity_alias(values[0])
            return self.entity_answer(found[0] if found else None)
        return self.entity_answer(self.registry.entity_of_alias(values[1], values[0]))

    @route("lookup/group", Operation.UPDATE)
    async def look_up_group(self, request: Request) -> Response | None:
        """The group that the query finds."""
        kind, *values = _query(request.fields)
        if kind == "id":
            return self.group_answer(self.registry.groups.get(values[0]))
        if kind == "name":
            return self.group_answer(self.registry.group_named(values[0]))
        if kind == "alias_id":
            found = self.registry.group_alias(values[0])
            return self.group_answer(found[0] if found else None)
        return self.group_answer(self.registry.group_of_alias(values[1], values[0]))


def _query(fields: Fields) -> tuple[str, ...]:
    """What is asked for: the field's name and its value, or `alias` with both factors. Raises BadRequestError."""
    given = [name for name in (*_SINGLE, *_FACTORS) if name in fields]
    if not given:
        raise BadRequestError("query parameter not supplied")
    if given == list(_FACTORS):
        return ("alias", *(fields.text(name) for name in _FACTORS))
    if len(given) > 1:
        raise BadRequestError("query parameter conflict; please supply distinct set of query parameters")
    if given[0] in _FACTORS:
        raise BadRequestError("both 'alias_name' and 'alias_mount_accessor' needs to be set")
    return given[0], fields.text(given[0])
