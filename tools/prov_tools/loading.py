"""From a tool's configuration argument to a model."""

import asyncio
from typing import TYPE_CHECKING

from prov_tools.context import Context

if TYPE_CHECKING:
    from prov_gen.load import Loaded


async def loaded(text: str, ctx: Context) -> "Loaded":
    """The model of a configuration argument. Raises as `read_source` and `load_config`."""
    from prov_gen.load import load_config  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_gen.source import read_source  # noqa: PLC0415 - as above

    source = await asyncio.to_thread(read_source, text, ctx.workspace)
    return await load_config(source, nickel=ctx.nickel, workspace=ctx.workspace)
