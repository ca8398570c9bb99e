"""A whole configuration as Terraform JSON."""

import re
from collections.abc import Iterator
from typing import Any

from prov_gen.effective import provider_of
from prov_gen.export.model import Exported
from prov_gen.export.terraform.document import Body, Document, Expression, label_of
from prov_gen.export.terraform.item import Item, Names, home_region
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.export.terraform.rows import Tags
from prov_gen.export.terraform.table import Main
from prov_gen.export.tracking import Ledger
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME, resources

FILE = "main.tf.json"
NOT_CARRIED = "Terraform has no place for it that we write"
_ELSEWHERE = {
    "workload": "what runs on a cluster; the kubernetes form carries it",
    "taskserv": "what is installed inside machines; the cloud-init form carries packages",
    "monitoring": "metrics and alerts run in the configuration's own stack",
}
_ACRONYMS = {"kms_key": "encryption keys", "dns": "DNS zones", "networking": "networks", "security": "account-wide protections"}
_LOCALS = ("name", "description", "environment")


def export(config: InfrastructureConfig) -> Exported:
    """The configuration as one `main.tf.json`, and what that does not carry; no file where Terraform has nothing to make."""
    document, ledger = assemble(config)
    if config.provider not in TARGETS and not any(True for _ in document.resources()):
        for name in (*_LOCALS, "tags", "region", "provider"):
            ledger.leave((name,), f"nothing here is at a provider that Terraform is written for: {', '.join(TARGETS)}")
        return Exported({}, ledger.not_carried(NOT_CARRIED))
    return Exported({FILE: document.text()}, ledger.not_carried(NOT_CARRIED))


def assemble(config: InfrastructureConfig) -> tuple[Document, Ledger]:
    """The document and the ledger of what was taken. `document.origin` tells which record each resource comes from."""
    ledger, document = Ledger(config), Document()
    chosen = list(_choose(config, ledger, document))
    for item, main in chosen:
        if main.type:
            main.write(item)
        elif main.more:
            main.more(item)
    written = {path[:length] for path in document.origin.values() for length in (1, 2)}
    used = {item.provider for item, _ in chosen if item.path in written}
    _define(config, ledger, document, used)
    return document, ledger


def _types() -> dict[str, dict[str, str]]:
    types = {}
    for provider, target in TARGETS.items():
        own = dict(target.places)
        for main in target.table:
            own.setdefault(main.kind, main.type)
        types[provider] = own
    return types


def _choose(config: InfrastructureConfig, ledger: Ledger, document: Document) -> Iterator[tuple[Item, Main]]:
    """Each record with the row of its provider's table; what has none is left in the ledger."""
    names = Names(config, _types())
    root = ledger.root
    accepted = []
    lists: dict[str, Any] = {}
    for found in resources(config):
        provider = provider_of(found.record, config)
        name = getattr(found.record, "name", None) or str(getattr(found.record, "domain", "main"))
        # Reading a list of the root looks at all of its records: once for each list.
        if found.kind.field not in lists:
            lists[found.kind.field] = getattr(root, found.kind.field)
        record = lists[found.kind.field]
        record = record[found.path[1]] if found.kind.is_list else record
        label = label_of(re.sub(r"[^a-z0-9-]", "_", name)) if name[0].isalnum() else "zone" + re.sub(r"[^a-z0-9-]", "_", name)
        item = Item(record, label, provider, config, names, document, ledger)
        if getattr(found.record, "private", False) and config.networking and config.provider == provider:
            item.label += "_private"
        main, reason = _row(item, found.kind.name)
        if main is None:
            ledger.leave(found.path, reason)
        elif found.kind.is_list and not names.add(
            found.kind.name, getattr(found.record, "name", item.label), provider, item.label
        ):
            ledger.leave(found.path, f"another {BY_NAME[found.kind.name].title.lower()} has that name")
        else:
            for own in ("name", "provider", "region"):
                if hasattr(found.record, own):
                    item.get(own)
            accepted.append((item, main))
    yield from accepted


def _row(item: Item, kind: str) -> tuple[Main | None, str]:
    if kind in _ELSEWHERE:
        return None, _ELSEWHERE[kind]
    if item.provider not in TARGETS:
        return (
            None,
            f"this export writes nothing for the provider {item.provider}: there is no public provider of Terraform for it",
        )
    reason = f"this export writes no {_plural(kind)} for {item.provider} yet"
    for main in TARGETS[item.provider].table:
        if main.kind == kind:
            reason = main.accepts(item) if main.accepts else ""
            if not reason:
                return main, ""
    return None, reason


def _plural(kind: str) -> str:
    """What people call several of a kind: the words of its field in a configuration."""
    return _ACRONYMS.get(kind) or BY_NAME[kind].field.replace("_", " ")


def _define(config: InfrastructureConfig, ledger: Ledger, document: Document, used: set[str]) -> None:
    """What stands around the resources: versions, providers, names."""
    root = ledger.root
    required = {TARGETS[name].name: {"source": TARGETS[name].source, "version": TARGETS[name].version} for name in sorted(used)}
    if required:
        document.define("terraform", "required_providers", required)
    for name in _LOCALS:
        if (value := getattr(root, name)) is not None:
            document.define("locals", name, value)
    document.define("locals", "provider", root.provider)
    tags: Body = {}
    Tags().write(Item(root, "", config.provider, config, Names(config, {}), document, ledger), tags)
    if tags:
        document.define("locals", "tags", tags["tags"])
    if root.region:
        document.define("locals", "region", root.region)
    if "aws" in used:
        document.define("provider", "aws", _aws(config, document, bool(tags)))
    if "azure" in used:
        document.define("provider", "azurerm", {"features": {}})


def _aws(config: InfrastructureConfig, document: Document, tagged: bool) -> list[Body]:
    common: dict[str, Any] = {"default_tags": {"tags": Expression("${local.tags}")}} if tagged else {}
    aliases = {str(body["provider"]) for _, _, body in document.resources() if str(body.get("provider", "")).startswith("aws.")}
    blocks: list[Body] = [{"region": home_region(config)} | common]
    for alias in sorted(aliases):
        name = alias.removeprefix("aws.")
        blocks.append({"alias": name, "region": name.replace("_", "-")} | common)
    return blocks
