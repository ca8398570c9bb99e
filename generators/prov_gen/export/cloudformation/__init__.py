"""A configuration's AWS resources as one CloudFormation template (JSON): `export`.

A template is for one region; it names secrets by dynamic references and holds none. What it creates beside the stated
resources (roles, route tables, policies) is what AWS needs to run them.
"""

import json
import re
from typing import Any

from prov_gen.export.cloudformation.account import build_account
from prov_gen.export.cloudformation.backups import build_backups
from prov_gen.export.cloudformation.balancing import build_balancers
from prov_gen.export.cloudformation.clusters import build_clusters
from prov_gen.export.cloudformation.compute import build_servers, build_volumes
from prov_gen.export.cloudformation.databases import build_caches, build_databases
from prov_gen.export.cloudformation.naming import build_certificates, build_zones
from prov_gen.export.cloudformation.network import build_networks, build_security_groups
from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.storage import (
    build_buckets,
    build_file_systems,
    build_keys,
    build_log_groups,
    build_queues,
    build_registries,
)
from prov_gen.export.model import Exported
from prov_gen.export.tracking import Ledger
from prov_gen.model.infrastructure import InfrastructureConfig

FILE = "template.json"
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]")
ELSEWHERE = "CloudFormation has no place for it here"
_ELSEWHERE = {
    "workloads": "they run inside a cluster: export them as Kubernetes manifests",
    "secrets": "they stay in the vault; what needs one names it by a dynamic reference",
    "monitoring": "the monitoring stack is installed by a taskserv",
}
_BUILDERS = (
    ("kms_keys", build_keys),
    ("security_groups", build_security_groups),
    ("certificates", build_certificates),
    ("buckets", build_buckets),
    ("servers", build_servers),
    ("volumes", build_volumes),
    ("databases", build_databases),
    ("caches", build_caches),
    ("file_systems", build_file_systems),
    ("queues", build_queues),
    ("registries", build_registries),
    ("log_groups", build_log_groups),
    ("load_balancers", build_balancers),
    ("dns_zones", build_zones),
    ("clusters", build_clusters),
)
_BACKED_UP = ("servers", "volumes", "file_systems")


def export(config: InfrastructureConfig) -> Exported:
    """`template.json`; no file where nothing of the configuration is at AWS."""
    ledger = Ledger(config)
    for field, reason in _ELSEWHERE.items():
        ledger.leave((field,), reason)
    scope = Scope(config, ledger)
    # Every logical id is known before the first resource refers to one.
    here: dict[str, list[Any]] = {field: scope.here(field) for field, _ in _BUILDERS}
    plans = scope.here("backup_plans")
    build_networks(scope)
    for field, build in _BUILDERS:
        build(scope, here[field])
    build_backups(scope, plans, [(field, record) for field in _BACKED_UP for record in here[field]])
    build_account(scope)
    if not scope.template.resources:
        for field in ("tags", "name", "environment", "description", "region", "provider"):
            ledger.leave((field,), f"nothing here is at {PROVIDER}")
        return Exported({}, ledger.not_carried(ELSEWHERE))
    ledger.leave(("region",), f"a stack's region is chosen when it is deployed, here {scope.region}")
    for field in ("name", "environment", "provider"):
        ledger.take((field,))
    return Exported({FILE: _json(scope.template.document())}, ledger.not_carried(ELSEWHERE))


def _json(document: dict[str, Any]) -> str:
    """JSON that YAML parsers read as well: they take no surrogate pairs. What a terminal would obey is escaped."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"
