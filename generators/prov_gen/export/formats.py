"""The forms that a configuration can be exported to, by name. Each exporter is imported when it is first used."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from prov_corpus.similar import nearest
from prov_gen.export.model import Exported, Exporter
from prov_gen.model.infrastructure import InfrastructureConfig
from stratumops.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Format:
    """One form: what it is called for people, and the package whose `export` writes it."""

    title: str
    package: str

    @property
    def exporter(self) -> Exporter:
        """The function that writes it."""
        exporter: Exporter = import_module(self.package).export
        return exporter


FORMATS: Mapping[str, Format] = {
    "terraform": Format("Terraform and OpenTofu (JSON)", "prov_gen.export.terraform"),
    "cloudformation": Format("AWS CloudFormation", "prov_gen.export.cloudformation"),
    "cloud-init": Format("cloud-init user data", "prov_gen.export.cloud_init"),
    "kubernetes": Format("Kubernetes manifests", "prov_gen.export.kubernetes"),
}


def export(config: InfrastructureConfig, format: str) -> Exported:  # noqa: A002 - the word of every caller
    """A configuration in another form. Raises InvalidInputError for an unknown form, with the nearest names."""
    found = FORMATS.get(format)
    if found is None:
        near = nearest(format, FORMATS)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(FORMATS)}"
        raise InvalidInputError(f"there is no export format {format[:64]!r}", hint=hint, formats=list(FORMATS))
    return found.exporter(config)
