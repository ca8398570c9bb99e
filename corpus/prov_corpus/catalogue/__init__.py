"""Dated catalogues of what providers offer: regions, sizes, plan families, disks, images, versions, quotas.

Each catalogue is one TOML file with `as_of` and `source`, and one module with the same name that reads it once, on the
first question. A row that could not be checked says `precision = "approximate"`. Unknown providers, families and engines
are InvalidInputError with the likeliest names in the hint; a lookup by text answers None when nothing fits.
"""

from prov_corpus.catalogue.disks import disk_type
from prov_corpus.catalogue.families import ARCHITECTURES, PlanFamily, classify
from prov_corpus.catalogue.images import OperatingSystem, default_image, find_image, images, os_version
from prov_corpus.catalogue.quotas import Quota, quotas
from prov_corpus.catalogue.regions import (
    Region,
    default_region,
    find_region,
    nearest_regions,
    price_region,
    provider_of_region,
    reference_region,
    regions,
)
from prov_corpus.catalogue.release import Release, is_end_of_life
from prov_corpus.catalogue.sizes import SIZES, LocalSize, sizes
from prov_corpus.catalogue.source import checked_provider
from prov_corpus.catalogue.versions import (
    cni_versions,
    cnis,
    default_cni,
    default_engine,
    default_kubernetes,
    engine_versions,
    engines,
    find_engine,
    kubernetes_versions,
    runs_kubernetes,
)

__all__ = [
    "ARCHITECTURES",
    "SIZES",
    "LocalSize",
    "OperatingSystem",
    "PlanFamily",
    "Quota",
    "Region",
    "Release",
    "checked_provider",
    "classify",
    "cni_versions",
    "cnis",
    "default_cni",
    "default_engine",
    "default_image",
    "default_kubernetes",
    "default_region",
    "disk_type",
    "engine_versions",
    "engines",
    "find_engine",
    "find_image",
    "find_region",
    "images",
    "is_end_of_life",
    "kubernetes_versions",
    "nearest_regions",
    "os_version",
    "price_region",
    "provider_of_region",
    "quotas",
    "reference_region",
    "regions",
    "runs_kubernetes",
    "sizes",
]
