"""What each provider calls a kind of disk (disks.toml)."""

from collections.abc import Mapping

from prov_corpus.catalogue.source import checked_provider, read_catalogue, unknown


def disk_type(provider: str, type_: str) -> str:
    """The provider's own name of a kind of disk of the models (ssd, gp3, hdd, ...), such as "Premium_LRS".

    Raises InvalidInputError for an unknown provider or kind.
    """
    names: Mapping[str, str] = read_catalogue("disks")[checked_provider(provider)]
    if type_ not in names:
        raise unknown("kind of disk", type_, names)
    return names[type_]
