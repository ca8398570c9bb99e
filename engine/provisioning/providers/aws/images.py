"""The image that a server starts from: the newest one of its distribution's release, from the account that publishes it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws

TABLE = Path(__file__).with_name("images.toml")


@cache
def families() -> Mapping[str, Any]:
    """The rows of the data file by distribution."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: row for name, row in table.items() if isinstance(row, dict)}


def find_image(aws: Aws, family: str, version: str, arch: str) -> Mapping[str, Any]:
    """The newest image. Raises ProviderError where the region has none."""
    row = families()[family]
    pattern = row["name"].format(version=version, arch=row["arch"][arch])
    filters = [
        {"Name": "name", "Values": [pattern]},
        {"Name": "architecture", "Values": [arch]},
        {"Name": "state", "Values": ["available"]},
    ]
    listed = aws.pages("ec2", "describe_images", "Images", Owners=[row["owner"]], Filters=filters)
    if not listed:
        raise ProviderError(
            f"AWS: {aws.region} has no image of {family} {version} for {arch}",
            hint="Choose another release in spec.os, or another region.",
        )
    newest: Mapping[str, Any] = max(listed, key=lambda image: (image.get("CreationDate", ""), image["ImageId"]))
    return newest
