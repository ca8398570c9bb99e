"""From a tool's configuration argument to a model."""

import asyncio
from typing import TYPE_CHECKING

from prov_tools.context import Context
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from prov_gen.load import Loaded
    from prov_judge.prices.book import PriceBook


async def loaded(text: str, ctx: Context) -> "Loaded":
    """The model of a configuration argument. Raises as `read_source` and `load_config`."""
    from prov_gen.load import load_config  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_gen.source import read_source  # noqa: PLC0415 - as above

    source = await asyncio.to_thread(read_source, text, ctx.workspace)
    return await load_config(source, nickel=ctx.nickel, workspace=ctx.workspace)


def prices_if_readable(ctx: Context) -> "tuple[PriceBook | None, str | None]":
    """The price book, or why there is none: a damaged price file must not hide what has nothing to do with prices."""
    try:
        return ctx.prices(), None
    except InvalidInputError as error:
        return None, f"nothing was priced: {error.message}" + (f" ({error.hint})" if error.hint else "")
