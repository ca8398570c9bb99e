"""Machine sizes that a customer makes up: Google Cloud's custom machine types (`n2-custom-4-8192`: cores, memory in MB).

Source: the Compute Engine documentation of custom machine types, 2026-11. No table lists them, and none has their price.
"""

import re
from collections.abc import Callable

_GCP = re.compile(r"(?:(n1|n2|n2d|n4|e2)-)?custom-([1-9][0-9]{0,2})-([1-9][0-9]{2,6})(-ext)?")


def _gcp(name: str) -> tuple[str, int, float] | None:
    match = _GCP.fullmatch(name)
    if match is None or int(match[3]) % 256:
        # Memory comes in steps of 256 MB.
        return None
    return match[1] or "n1", int(match[2]), int(match[3]) / 1024


_BY_PROVIDER: dict[str, Callable[[str], tuple[str, int, float] | None]] = {"gcp": _gcp}


def custom_size(provider: str, name: str) -> tuple[str, int, float] | None:
    """Family, cores and memory in GB of a custom machine type; None for any other name."""
    read = _BY_PROVIDER.get(provider)
    return read(name) if read else None
