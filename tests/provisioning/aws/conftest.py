"""A sandbox of one's own for the session, a client of the tests' own for each service, and a provider on both."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.provisioning.aws.examples import BY_NAME
from tests.provisioning.provider_contract import Example, World

from provisioning.providers.aws.client import Clients
from provisioning.providers.aws.provider import AwsProvider
from provisioning.providers.base import Account
from provisioning.providers.sandbox.process import Sandbox

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a sandbox that ends with the session."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield sandbox.ensure()
    sandbox.stop()


@pytest.fixture(scope="session")
def client(endpoint: str) -> Callable[[str], Any]:
    """Clients of boto3 as anybody has them."""
    made: dict[str, Any] = {}

    def get(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(
                service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test",
                config=Config(s3={"addressing_style": "path"}),
            )  # fmt: skip
        return made[service]

    return get


def account(endpoint: str) -> Account:
    return Account("test", "aws", REGION, endpoint, secrets={"access_key_id": "test", "secret_access_key": "test"})


@pytest.fixture(scope="session")
def provider(endpoint: str) -> Iterator[AwsProvider]:
    """The provider under test. It never pauses: what is waited for is there at once, or never."""
    provider = AwsProvider(account(endpoint), Clients(account(endpoint), pause=lambda _: None))
    yield provider
    provider.close()


@pytest.fixture
def make(provider: AwsProvider) -> Iterator[Callable[..., World]]:
    """Worlds, cleared at the end."""
    worlds: list[World] = []

    def world(example: Example | str) -> World:
        worlds.append(World(provider, BY_NAME[example] if isinstance(example, str) else example))
        worlds[-1].make_ground()
        return worlds[-1]

    yield world
    for one in worlds:
        one.clear()
