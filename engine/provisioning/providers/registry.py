"""The providers by name: adding one is a module and a row here. Nothing heavy is imported before one is opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from provisioning.errors import ProviderAccountError
from provisioning.providers.base import Account, Provider
from stratumops.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Entry:
    """One provider: where its class is, which extra brings what it needs, and what `prov provider add` asks for.

    `secrets` are asked on the terminal and kept in the vault, `options` are plain; a name that ends in `?` may be left out.
    """

    module: str
    name: str
    extra: str
    title: str
    secrets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    """Options that say where the credentials are already, so that none are asked for."""


PROVIDERS: Mapping[str, Entry] = {
    "aws": Entry(
        "provisioning.providers.aws.provider",
        "AwsProvider",
        "aws",
        "Amazon Web Services",
        ("access_key_id", "secret_access_key", "session_token?"),
        ("profile?",),
        ("profile",),
    ),
    "upcloud": Entry(
        "provisioning.providers.upcloud.provider", "UpCloud", "", "UpCloud", ("username?", "password?", "token?"), ("ssh_keys?",)
    ),
    "local": Entry(
        "provisioning.providers.local.provider",
        "LocalProvider",
        "local",
        "LXD on this machine",
        (),
        ("pool?", "project?", "nat?", "image_server?", "mirror?", "build_folder?"),
    ),
}


def entry(name: str) -> Entry:
    """One of them. Raises InvalidInputError with the names that there are."""
    if name not in PROVIDERS:
        raise InvalidInputError(
            f"there is no provider {name[:40]!r} that can be used yet", hint=f"there are: {', '.join(PROVIDERS)}"
        )
    return PROVIDERS[name]


def provider_class(name: str) -> type[Provider]:
    """A provider's class: what it is called, its version, its kinds. Raises ProviderAccountError when a package is missing."""
    found = entry(name)
    try:
        return cast("type[Provider]", getattr(import_module(found.module), found.name))
    except ModuleNotFoundError as error:
        raise ProviderAccountError(
            f"the provider {name} needs the package {error.name}", hint=f"pip install 'stratumops[{found.extra or name}]'"
        ) from None


def open_provider(account: Account) -> Provider:
    """The provider of an account. Raises ProviderAccountError when what it needs is not installed."""
    make = cast("Callable[[Account], Provider]", provider_class(account.provider))
    return make(account)
