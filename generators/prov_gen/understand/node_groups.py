"""The nodes of a cluster: its workers, further groups of them, their size and the bounds that they scale between."""

from typing import Any

from prov_gen.understand.draft import get_path, set_path
from prov_gen.understand.machines import SIZES
from prov_gen.understand.mentions import Mention
from prov_gen.understand.naming import Names, slug
from prov_gen.understand.records import Made
from prov_gen.understand.site import Site
from stratumops.errors import InvalidInputError

MOST_NODES = 1000


def merge(values: dict[str, Any], others: dict[str, Any]) -> None:
    """Add what is not there yet; named bounds win over "autoscaling" alone."""
    for key, value in others.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            merge(values[key], value)
        elif key not in values or isinstance(value, list):
            values[key] = value


def join_workers(site: Site, made: Made) -> None:
    """The first group of nodes is the cluster's workers; each further one is a node group with a name."""
    parts = [part for part in site.of("worker", "pool") if part.head.owner is made.head]
    plain = [part for part in parts if (label := _label(site, part)) is None or label.category != "role"]
    first = next(iter(plain or parts), None)
    names = Names()
    groups: list[dict[str, Any]] = []
    for part in parts:
        made.absorb(part)
        told = part.head.count in (None, get_path(made.values, "workers.count"))
        if part is first or (told and part.head.kind == "worker" and not part.values.get("workers")):
            _join_first(site, made, part)
            continue
        group = {**part.values.pop("workers", {}), "count": part.head.count or 1}
        merge(made.values, part.values)
        label = _label(site, part)
        name = slug(part.names[0] if part.names else site.draft.phrase(label.start, label.end) if label else "") or "group"
        group["name"] = names.take_exactly(name)
        at = f"node_groups[{len(groups)}]"
        if label or part.names:
            made.facts.extend((mention, f"{at}.name", group["name"]) for mention in [label] if mention)
        else:
            made.assume(f"{at}.name", group["name"], "a further group of nodes, without a name")
        if part.head.count is None:
            made.assume(f"{at}.count", 1, "no number of nodes was named")
        made.facts.extend((mention, f"{at}.{_inner(path)}", value) for mention, path, value in part.facts)
        size_nodes(site, made, group, at)
        scale(made, group, at)
        groups.append(group)
    if groups:
        made.values["node_groups"] = groups


def _inner(path: str) -> str:
    return "count" if path in {"", "count"} else path.removeprefix("workers.")


def _join_first(site: Site, made: Made, part: Made) -> None:
    made.facts.extend(
        (mention, "workers.count" if path in {"", "count"} else path, value)
        for mention, path, value in part.facts
        if path != "name"
    )
    merge(made.values, part.values)
    if part.head.count is not None:
        set_path(made.values, "workers.count", part.head.count)
    if label := _label(site, part):
        made.facts.append((label, "workers", site.draft.phrase(label.start, label.end)))


def _label(site: Site, part: Made) -> Mention | None:
    """The word that names a group: "a gpu pool", "general with 3 nodes"."""
    at = part.head.phrase
    own: list[Mention] = [mention for mention in site.phrases[at].mentions if mention.start < part.head.end]
    before = site.phrases[at - 1] if at else None
    titles: list[Mention] = before.content() if before is not None and not before.topics else []
    candidates: list[Mention] = [*reversed(own), *(titles if len(titles) == 1 else ())]
    for mention in candidates:
        if mention.category in {"role", "unknown"} and not site.draft.used & set(range(mention.start, mention.end)):
            return mention
    return None


def size_nodes(site: Site, made: Made, record: dict[str, Any], path: str) -> None:
    """Nodes are sized by plan: cores and memory become the cheapest SKU that has them."""
    from prov_corpus.prices import cheapest_sku, find_sku  # noqa: PLC0415 - a price list is read only when it is needed

    cpu, memory = record.pop("cpu", None), record.pop("memory_gb", None)
    plan = record.get("plan")
    provider = str(made.values.get("provider", site.provider))
    if plan and plan not in SIZES:
        known = find_sku(provider, plan)
        if known is not None:
            record["plan"] = known.name
        else:
            site.draft.find("plan_unknown", f"{provider} has no plan {plan!r} in its price list", "use small, medium or large")
    if (cpu is None and memory is None) or (plan and plan not in SIZES):
        return
    sku = cheapest_sku(provider, cpu=cpu or 1, memory_gb=memory or 1, region=site.region)
    record["plan"] = sku.name if sku else "xlarge"
    wanted = ", ".join(text for text, value in ((f"{cpu} vCPU", cpu), (f"{memory} GB", memory)) if value is not None)
    made.assume(f"{path}.plan", record["plan"], f"the cheapest plan of {provider} with {wanted}")


def scale(made: Made, record: dict[str, Any], path: str) -> None:
    """Bounds, where scaling was spoken of."""
    scaling: Any = record.get("auto_scaling")
    if isinstance(scaling, list):
        low, high = scaling
        low = min(record.get("count", 3), high) if low is None else low
        record["auto_scaling"] = {"enabled": True, "min": low, "max": max(1, high)}
        if "count" not in record:
            record["count"] = low
            made.assume(f"{path}.count", low, "the fewest workers to scale from")
    elif isinstance(scaling, dict) and scaling.get("enabled"):
        count = record.get("count", 3)
        scaling |= {"min": count, "max": max(10, count)}
        made.assume(f"{path}.auto_scaling", dict(scaling), "no bounds were named")
    bounds = record.get("auto_scaling") or {}
    if any(bounds.get(name, 1) > MOST_NODES for name in ("min", "max")):
        raise InvalidInputError("a group of workers has at most 1,000 nodes", hint="scale between smaller numbers")
    if record.get("count", 0) > MOST_NODES:
        raise InvalidInputError("a group of workers has at most 1,000 nodes", hint="describe fewer nodes")
