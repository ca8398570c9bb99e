"""The explicit list of all tools and what each toolset is for."""

from prov_tools.compliance import check_compliance
from prov_tools.config import generate_config, get_schema, validate_config
from prov_tools.context import Context
from prov_tools.core import toolsets
from prov_tools.cost import estimate_cost
from prov_tools.exports import export_config, import_terraform
from prov_tools.migration import plan_migration
from prov_tools.prices import prices_status
from prov_tools.review import review_config
from stratumops.registry import Registry

TOOLSETS = {
    "core": "Which tools there are and how to switch more on",
    "config": "Generate, validate, review, look up and exchange typed configurations",
    "cost": "What a configuration costs",
    "compliance": "Whether it meets what auditors ask for",
    "migration": "What changing it means",
    "admin": "What this server works with",
}

REGISTRY: Registry[Context] = Registry(
    [
        toolsets,
        generate_config,
        validate_config,
        get_schema,
        review_config,
        export_config,
        import_terraform,
        estimate_cost,
        check_compliance,
        plan_migration,
        prices_status,
    ],
    toolsets=TOOLSETS,
    always=["core"],
)
