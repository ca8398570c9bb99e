"""The provider `aws` on the sandbox."""

from pathlib import Path
from typing import ClassVar

from provisioning.providers.aws.client import DEFAULT_REGION
from provisioning.providers.aws.provider import VERSION, AwsProvider
from provisioning.providers.base import Account
from provisioning.providers.sandbox.process import Sandbox

NAME = "sandbox"
"""The account's name."""


class SandboxProvider(AwsProvider):
    """AWS as the sandbox imitates it. Its version is another one, so that no plan made for the one is applied at the other."""

    version: ClassVar[str] = f"{VERSION}+sandbox"

    def __init__(self, folder: Path, region: str = DEFAULT_REGION) -> None:
        self.sandbox = Sandbox(folder)
        url = self.sandbox.ensure()
        keys = {"access_key_id": "sandbox", "secret_access_key": "sandbox"}
        super().__init__(Account(NAME, "aws", region, url, secrets=keys))
