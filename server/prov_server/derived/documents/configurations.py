"""Kinds of resources with their fields, and the settings by table."""

from collections import defaultdict
from collections.abc import Iterator
from inspect import cleandoc

from prov_gen.model.kinds import BY_NAME
from prov_gen.schema import describe
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.page import block, cell, code, table
from prov_server.derived.reference import field_default, setting_default, setting_type
from stratumops import settings
from stratumops.settings import Accessor


def pages() -> Iterator[tuple[str, str]]:
    """A page for every kind, every table of settings, and every setting."""
    for name, kind in BY_NAME.items():
        fields = describe(name, "fields").fields
        rows = [(code(one.path), cell(one.type), field_default(one.default), cell(one.description)) for one in fields]
        yield (
            f"schemas/{file_name(name)}.md",
            sheet(
                f"Schema {name}: its {len(rows)} fields",
                cleandoc(kind.model.__doc__ or ""),
                table(("field", "type", "default", "description"), rows),
                block("sh", f"prov schema show {name} --format nickel"),
                source="the models of `prov_gen.model`",
                service="stratumops",
                tags=["schema", "nickel", name.replace("_", "-")],
            ),
        )
    groups: dict[str, list[Accessor]] = defaultdict(list)
    for one in settings.accessors():
        groups[one.key.partition(".")[0]].append(one)
    for group, members in groups.items():
        keys = [
            (code(one.key), cell(setting_type(one)), setting_default(one.default), code(one.variable), cell(one.description))
            for one in members
        ]
        about = settings.Settings.model_fields[group].annotation
        yield (
            f"settings/{file_name(group)}.md",
            sheet(
                f"Settings [{group}] of {settings.FILE_NAME}",
                cleandoc((about.__doc__ if about else "") or ""),
                table(("key", "type", "default", "variable", "description"), keys),
                block("sh", f"prov config get {members[0].key}\nprov config list --changed"),
                source="the models of `stratumops.settings`",
                service="stratumops",
                tags=["settings", group],
            ),
        )
