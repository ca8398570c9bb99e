"""Every public method of hvac is used by a story of this folder, or stands here with the reason why not."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import hvac
import hvac.api
from hvac.api.vault_api_base import VaultApiBase
from hvac.api.vault_api_category import VaultApiCategory

ENTERPRISE = "OpenBao has it not either: a product that is sold"
NO_ENGINE = "this engine is not offered: mounting it is refused by name"
NO_METHOD = "this auth method is not offered: enabling it is refused by name"
NO_OIDC = "the vault is no OIDC provider"
NO_RAFT = "servers share etcd, PostgreSQL or SurrealDB; there is no raft of our own"
NO_NAMESPACES = "there are no namespaces: a request that names one is refused"

# Where the attributes of a client lead: the last name before the method, and the classes that answer it.
OWNERS = {
    "sys": "system_backend.*",
    "token": "auth_methods.token.Token",
    "approle": "auth_methods.approle.AppRole",
    "userpass": "auth_methods.userpass.Userpass",
    "kv": "secrets_engines.kv.Kv",
    "v1": "secrets_engines.kv_v1.KvV1",
    "v2": "secrets_engines.kv_v2.KvV2",
    "transit": "secrets_engines.transit.Transit",
    "pki": "secrets_engines.pki.Pki",
    "database": "secrets_engines.database.Database",
    "identity": "secrets_engines.identity.Identity",
    "client": "Client",
}
# A method, or everything whose name begins so (`*`), and why no story tells it.
NOT_TOLD = {
    **{
        f"auth_methods.{name}.*": NO_METHOD
        for name in ("aws", "azure", "cert", "gcp", "github", "jwt", "kubernetes", "ldap", "legacy_mfa", "oidc", "okta", "radius")
    },
    **{
        f"secrets_engines.{name}.*": NO_ENGINE
        for name in ("active_directory", "aws", "azure", "consul", "gcp", "ldap", "rabbitmq", "ssh", "transform")
    },
    "system_backend.raft.*": NO_RAFT,
    "system_backend.quota.*": "there are no quotas: a request to them is answered with 404",
    "system_backend.namespace.*": NO_NAMESPACES,
    **{
        f"system_backend.policies.Policies.{verb}_{kind}": ENTERPRISE
        for kind in ("rgp_policy", "egp_policy", "rgp_policies", "egp_policies")
        for verb in ("list", "read", "create_or_update", "delete")
        if (verb == "list") is kind.endswith("policies")
    },
    **{
        f"secrets_engines.identity.Identity.{name}": NO_OIDC
        for name in (
            "configure_tokens_backend",
            "read_tokens_backend_configuration",
            "create_named_key",
            "read_named_key",
            "delete_named_key",
            "list_named_keys",
            "rotate_named_key",
            "create_or_update_role",
            "read_role",
            "delete_role",
            "list_roles",
            "generate_signed_id_token",
            "introspect_signed_id_token",
            "read_well_known_configurations",
            "read_active_public_keys",
        )
    },
    "secrets_engines.kv.Kv.default_kv_version": "it asks no vault",
    "secrets_engines.identity.Identity.validate_member_id_params_for_group_type": "it asks no vault",
    **{f"Client.{name}": "it asks no vault" for name in ("adapter", "session", "token", "url", "allow_redirects")},
}


def methods() -> Iterator[str]:
    """Every public method and property of hvac that could ask a vault, by the module below `hvac.api`, the class and its name."""
    for found in pkgutil.walk_packages(hvac.api.__path__, "hvac.api."):
        module = importlib.import_module(found.name)
        for name, cls in vars(module).items():
            is_api = inspect.isclass(cls) and issubclass(cls, VaultApiBase) and cls.__module__ == found.name
            if is_api and not found.ispkg and cls not in {VaultApiBase, VaultApiCategory}:
                place = f"{found.name.removeprefix('hvac.api.')}.{name}"
                yield from (f"{place}.{method}" for method in own(cls))
    yield from (f"Client.{method}" for method in own(hvac.Client))


def own(cls: type) -> Iterator[str]:
    for name, value in vars(cls).items():
        if not name.startswith("_") and (callable(value) or isinstance(value, property | staticmethod)):
            yield name


def told() -> set[tuple[str, str]]:
    """What the stories of this folder ask: owner and name of each attribute; a variable is named as its owner."""
    found: set[tuple[str, str]] = set()
    for path in Path(__file__).parent.glob("test_hvac_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                found.add((owner(node.value), node.attr))
    return found


def owner(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return owner(node.func)
    return node.id if isinstance(node, ast.Name) else ""


def is_named(method: str, names: dict[str, str]) -> bool:
    return method in names or any(name.endswith("*") and method.startswith(name[:-1]) for name in names)


def is_told(method: str, asked: set[tuple[str, str]]) -> bool:
    place, _, name = method.rpartition(".")
    known = {key for key, where in OWNERS.items() if place == where or (where.endswith("*") and place.startswith(where[:-1]))}
    return any(name == attribute and who in known for who, attribute in asked)


def test_every_method_of_hvac_is_told_or_named_with_its_reason():
    asked = told()
    missing = [method for method in methods() if not is_told(method, asked) and not is_named(method, NOT_TOLD)]
    assert not missing, "neither told nor named: " + ", ".join(missing)


def test_no_name_stands_for_what_is_told_or_gone():
    asked, all_of_them = told(), list(methods())
    for name in NOT_TOLD:
        meant = [method for method in all_of_them if is_named(method, {name: ""})]
        assert meant, f"hvac has no {name}"
        assert not [method for method in meant if is_told(method, asked)], f"{name} is told"
