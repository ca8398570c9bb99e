"""Dated facts about providers, as data files, and the code that loads them.

Others may use:

- `PROVIDERS`: the names of all providers (declared in `stratumops.provider`).
- `prov_corpus.catalogue`: regions, sizes, images, versions, quotas and plan families.
- `prov_corpus.prices`: machine sizes (SKUs) and what they cost.

Importing this package reads no file; every catalogue is read once, when it is first asked for. Answers never depend
on the clock: whatever is a matter of date takes the date as an argument.
"""

from stratumops.provider import PROVIDERS

__all__ = ["PROVIDERS"]
