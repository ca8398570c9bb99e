"""The providers that Terraform is written for: source and version of each, and how one is told its region."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prov_gen.export.terraform import azure, gcp, hetzner, upcloud
from prov_gen.export.terraform.aws import TABLE as AWS
from prov_gen.export.terraform.aws.account import read_limits, read_security
from prov_gen.export.terraform.aws.network import read_networking
from prov_gen.export.terraform.table import Found, Main


@dataclass(frozen=True)
class Target:
    """A provider of Terraform: the name of its block, where it comes from, and its table."""

    name: str
    source: str
    version: str
    table: tuple[Main, ...]
    places: Mapping[str, str]
    singles: Mapping[str, Callable[[Found], dict[str, Any] | None]] = field(default_factory=dict)
    """How the parts of a configuration that are no lists are read back, by their field."""


_AWS_SINGLES = {"networking": read_networking, "security": read_security, "limits": read_limits}
TARGETS: Mapping[str, Target] = {
    "aws": Target("aws", "hashicorp/aws", "~> 6.0", AWS, {"vpc": "aws_vpc", "subnet": "aws_subnet"}, _AWS_SINGLES),
    "gcp": Target(
        "google",
        "hashicorp/google",
        "~> 7.0",
        gcp.TABLE,
        {"vpc": "google_compute_network", "subnet": "google_compute_subnetwork"},
        {"networking": gcp.read_networking},
    ),
    "azure": Target(
        "azurerm",
        "hashicorp/azurerm",
        "~> 4.0",
        azure.TABLE,
        {"vpc": "azurerm_virtual_network", "subnet": "azurerm_subnet"},
        {"networking": azure.read_networking},
    ),
    "hetzner": Target(
        "hcloud",
        "hetznercloud/hcloud",
        "~> 1.50",
        hetzner.TABLE,
        {"vpc": "hcloud_network", "subnet": "hcloud_network_subnet"},
        {"networking": hetzner.read_networking},
    ),
    "upcloud": Target("upcloud", "UpCloudLtd/upcloud", "~> 5.0", upcloud.TABLE, {}),
}
"""`local` is not among them: containers on this machine are ours to make, and no public provider of Terraform is official."""
