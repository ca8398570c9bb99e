"""Whether the file that a plan was made from still says what it said then: a person approved that, and nothing else."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stratumops.errors import StratumError

if TYPE_CHECKING:
    from prov_gen.nickel import Nickel
    from provisioning.plan.model import Plan
    from stratumops.workspace import Workspace

MOST_TOLD = 8


async def require_same_source(plan: "Plan", *, nickel: "Nickel", workspace: "Workspace") -> None:
    """Raises StalePlanError with the differences when the plan's file says something else now; a plan of a text always fits."""
    if not plan.source:
        return
    from prov_gen.load import load_config  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_gen.source import read_source  # noqa: PLC0415 - as above
    from provisioning.errors import StalePlanError  # noqa: PLC0415 - as above
    from provisioning.plan.make import config_sha256  # noqa: PLC0415 - as above

    try:
        source = await asyncio.to_thread(read_source, plan.source, workspace)
        config = (await load_config(source, nickel=nickel, workspace=workspace)).config
    except StratumError as error:
        found = [f"{plan.source} cannot be read any more: {error.message}"]
    else:
        if config_sha256(config) == plan.basis.config_sha256:
            return
        found = await asyncio.to_thread(lambda: list(_differences(plan, config)))
    told = "; ".join(found[:MOST_TOLD]) + (f" and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else "")
    raise StalePlanError(
        f"{plan.id} does not fit any more, {plan.source} was changed since: {told}",
        hint="make a new plan and look at it again; nothing was done",
        differences=found,
    )


def _differences(plan: "Plan", config: Any) -> Iterator[str]:
    from prov_gen.model.infrastructure import dump_stated  # noqa: PLC0415 - as above
    from prov_judge.changes.leaves import leaves  # noqa: PLC0415 - as above
    from prov_judge.changes.masking import shown_path  # noqa: PLC0415 - as above
    from prov_judge.migration.words import value  # noqa: PLC0415 - as above
    from provisioning.secrets import SEALED  # noqa: PLC0415 - as above

    sealed = f".{SEALED}"
    before = {path.removesuffix(sealed): leaf.value for path, leaf in leaves(plan.config).items()}
    hidden = {path.removesuffix(sealed) for path in leaves(plan.config) if path.endswith(sealed)}
    after = {path: leaf.value for path, leaf in leaves(dump_stated(config)).items()}
    found = [path for path in _either(before, after) if path not in hidden and before.get(path) != after.get(path)]
    yield from (f"{shown_path(path)}: {value(path, before.get(path))} -> {value(path, after.get(path))}" for path in found)
    gone = sorted(path for path in hidden if path not in after)
    yield from (f"{shown_path(path)} was taken out" for path in gone)
    if not found and not gone:
        yield "a secret in it is another one"


def _either(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [*before, *(path for path in after if path not in before)]
