"""The explicit list of all tools and what each toolset is for."""

from prov_tools.config import generate_config, get_schema, validate_config
from prov_tools.context import Context
from prov_tools.core import toolsets
from stratumops.registry import Registry

TOOLSETS = {
    "core": "Which tools there are and how to switch more on",
    "config": "Generate, validate and look up typed configurations",
}

REGISTRY: Registry[Context] = Registry(
    [toolsets, generate_config, validate_config, get_schema], toolsets=TOOLSETS, always=["core"]
)
