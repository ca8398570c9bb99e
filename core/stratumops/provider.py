"""The providers, in one place: a type for signatures and a tuple for loops."""

from typing import Literal, get_args

Provider = Literal["aws", "gcp", "azure", "hetzner", "upcloud", "local"]

PROVIDERS: tuple[str, ...] = get_args(Provider)
