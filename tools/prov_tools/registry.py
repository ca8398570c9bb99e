"""The explicit list of all tools and what each toolset is for."""

from prov_tools.audit import audit_list, audit_verify
from prov_tools.compliance import check_compliance
from prov_tools.config import generate_config, get_schema, validate_config
from prov_tools.context import Context
from prov_tools.core import toolsets
from prov_tools.cost import estimate_cost
from prov_tools.engine.operations import apply_plan, operation_status
from prov_tools.engine.plan import plan_config
from prov_tools.engine.providers import list_providers, test_provider
from prov_tools.engine.query import query_infrastructure
from prov_tools.engine.state import (
    detect_drift,
    import_resource,
    list_resources,
    move_resource,
    refresh_state,
    remove_resource,
    show_resource,
    state_history,
)
from prov_tools.engine.workflows import execute_workflow, list_workflows, workflow_history
from prov_tools.exports import export_config, import_terraform
from prov_tools.knowledge.adding import kogral_add
from prov_tools.knowledge.graph import kogral_export, kogral_get, kogral_graph, kogral_link, kogral_list
from prov_tools.knowledge.guidelines import get_guidelines
from prov_tools.knowledge.search import search_docs
from prov_tools.knowledge.troubleshoot import troubleshoot
from prov_tools.migration import plan_migration
from prov_tools.prices import prices_status
from prov_tools.review import review_config
from prov_tools.vault.certificates import issue_certificate, revoke_certificate
from prov_tools.vault.databases import database_credentials
from prov_tools.vault.listing import vault_delete, vault_list
from prov_tools.vault.rotation import vault_rotate
from prov_tools.vault.status import vault_status
from prov_tools.vault.store import vault_store
from prov_tools.vault.transit import vault_encrypt, vault_sign, vault_verify
from stratumops.registry import Registry

TOOLSETS = {
    "core": "Which tools there are and how to switch more on",
    "config": "Generate, validate, review, look up and exchange typed configurations",
    "cost": "What a configuration costs",
    "compliance": "Whether it meets what auditors ask for",
    "migration": "What changing it means",
    "infra": "What there is",
    "knowledge": "What runbooks, past incidents and guidelines say",
    "engine": "Plans, and what is done with them once a person approved",
    "state": "What is recorded of the infrastructure, and how it has drifted",
    "providers": "The clouds that can be used here",
    "workflows": "Workflows and what was done",
    "vault": "Secrets, keys and certificates, by handle",
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
        query_infrastructure,
        search_docs,
        troubleshoot,
        kogral_add,
        get_guidelines,
        kogral_get,
        kogral_list,
        kogral_link,
        kogral_graph,
        kogral_export,
        plan_config,
        apply_plan,
        execute_workflow,
        operation_status,
        list_resources,
        show_resource,
        import_resource,
        move_resource,
        remove_resource,
        refresh_state,
        detect_drift,
        state_history,
        list_providers,
        test_provider,
        list_workflows,
        workflow_history,
        prices_status,
        audit_list,
        audit_verify,
        vault_store,
        vault_list,
        vault_rotate,
        vault_delete,
        vault_encrypt,
        vault_sign,
        vault_verify,
        database_credentials,
        issue_certificate,
        revoke_certificate,
        vault_status,
    ],
    toolsets=TOOLSETS,
    always=["core"],
)
