"""Parts that the tables of several providers share."""

from collections.abc import Callable
from typing import Any

from prov_gen.effective import machine_of, region_of
from prov_gen.export.terraform.document import Body
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Special

IN_THE_MACHINE = "a setting inside the machine; the cloud-init form carries it"
_INSIDE = {"server": ("ssh", "patching", "taskservs")}


def leave_unwritten(kind: str) -> Callable[[Item], None]:
    """A `Main.more` that says why the settings inside of a machine are not there."""

    def more(item: Item) -> None:
        for name in _INSIDE[kind]:
            item.leave(name, IN_THE_MACHINE)

    return more


def region_row(attribute: str) -> Special:
    """The attribute that says in which region a resource is."""

    def write(item: Item, body: Body) -> None:
        body[attribute] = region_of(item.raw, item.config)

    def read(body: Body, record: dict[str, Any]) -> None:
        if body.get(attribute) is not None:
            record["region"] = body[attribute]

    return Special(write, read, {"region": attribute})


def sku_rows(attribute: str) -> Special:
    """A server's SKU: what its plan, or its cores and memory, mean at the provider."""

    def write(item: Item, body: Body) -> None:
        machine = machine_of(item.raw, item.config)
        plan = item.get("plan")
        for name in ("spec.cpu", "spec.memory_gb"):
            if item.get(name) is not None and plan:
                item.leave(name, "the provider's size decides")
        if machine.sku is None:
            reason = "no size of the provider is known for it"
            for name in ("plan", "spec.cpu", "spec.memory_gb"):
                item.leave(name, reason)
            for name in ("cpu", "memory_gb"):
                # A size that is the default is not kept either.
                if plan is None and getattr(item.raw.spec, name) is not None:
                    item.ledger.tell((*item.path, "spec", name), reason)
        else:
            body[attribute] = machine.sku

    def read(body: Body, record: dict[str, Any]) -> None:
        if body.get(attribute) is not None:
            record["plan"] = body[attribute]

    return Special(write, read, {"plan": attribute})
