"""A configuration as readable, typed Nickel: one text, or several files of which `main.ncl` imports the others.

The text comes from Jinja2 templates, one for each provider; every value that enters it is turned into a Nickel literal. It
states what differs from the defaults, and evaluates under its own contract to the configuration that it was made of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_FIELD
from prov_gen.nickel.literal import nickel_key
from prov_gen.stated import Block, Field, NickelText, block_of, comment, layout, literal, rows

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"
MAIN = "main.ncl"

# Which file holds which sections, both in the order in which one text shows them. No name may be one that the workspace
# refuses to read (such as secrets.ncl).
FILES: Mapping[str, tuple[str, ...]] = {
    "networking.ncl": ("networking", "security_groups", "load_balancers", "dns_zones"),
    "servers.ncl": ("servers", "taskservs"),
    "clusters.ncl": ("clusters", "workloads"),
    "databases.ncl": ("databases", "caches", "queues"),
    "storage.ncl": ("buckets", "volumes", "file_systems"),
    "security.ncl": ("security", "kms_keys", "certificates", "secrets", "waivers"),
    "operations.ncl": ("monitoring", "log_groups", "backup_plans", "registries", "limits"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A configuration as Nickel: whole in `text`, and as `files` by name, where `main.ncl` is the whole."""

    text: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """A field of the configuration that holds resources, and its contract in its schema file."""

    field: Field

    @property
    def title(self) -> str:
        """What it is called among people."""
        return self.field.name.replace("_", " ")

    @property
    def contract(self) -> str:
        """Name of the contract of one resource."""
        return BY_FIELD[self.field.name].contract

    @property
    def file(self) -> str:
        """The schema file that has the contract."""
        return f"schemas/{BY_FIELD[self.field.name].name}.ncl"

    @property
    def annotation(self) -> NickelText:
        """The type of the whole section."""
        return NickelText(f"Array {self.contract}" if BY_FIELD[self.field.name].is_list else self.contract)


def render(config: InfrastructureConfig) -> Rendered:
    """The configuration in the form of its provider's template.

    Raises InvalidInputError for values that Nickel text cannot carry (integers beyond 64 bits, lone surrogates).
    """
    block = block_of(config)
    sections = {field.name: Section(field) for field in block if field.name in BY_FIELD}
    parts = {file: [sections[name] for name in names if name in sections] for file, names in FILES.items()}
    parts = {file: found for file, found in parts.items() if found}
    shared = {
        "name": config.name,
        "region": config.region,
        "environment": config.environment,
        "scalars": Block(tuple(field for field in block if field.name not in BY_FIELD)),
    }
    template = _environment().get_template(f"{config.provider}.ncl.j2")
    text = template.render(shared, layout="whole.ncl.j2", sections=[section for part in parts.values() for section in part])
    files = {MAIN: template.render(shared, layout="main.ncl.j2", parts=list(parts))}
    for file, found in parts.items():
        files[file] = template.render(shared, layout="part.ncl.j2", sections=found)
    return Rendered(text, files)


def split(config: InfrastructureConfig) -> dict[str, str]:
    """The configuration as files by name; `main.ncl` imports the others and evaluates to the whole."""
    return render(config).files


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - heavy, and only rendering needs it

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        finalize=literal,
        autoescape=False,  # noqa: S701 - this is Nickel, not HTML; `finalize` turns every value into a literal
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(comment=comment, key=_key, layout=layout, nickel=NickelText, rows=rows)
    return environment


def _key(name: str) -> NickelText:
    return NickelText(nickel_key(name))
