"""A sandbox of one's own for the session, a client of the tests' own for each service, and a provider on both."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.provisioning.aws.examples import BY_NAME
from tests.provisioning.worlds import Example, World

from provisioning.providers.aws.client import Clients
from provisioning.providers.aws.provider import AwsProvider
from provisioning.providers.base import Account
from provisioning.providers.sandbox.process import Sandbox

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a sandbox that ends with the session."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    with pytest.MonkeyPatch.context() as patched:
        # Whose coverage counts is the sandbox's own test: here it would only slow moto down.
        patched.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        patched.delenv("COVERAGE_PROCESS_START", raising=False)
        url = sandbox.ensure()
    yield url
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


class Grounds:
    """The ground of one example at a time: the test that needs another one's first has it made, and the last one's deleted."""

    def __init__(self, provider: AwsProvider) -> None:
        self._provider = provider
        self._kept: World | None = None

    def world(self, example: Example, provider: AwsProvider) -> World:
        """A world of its own on the example's ground, acted on by `provider`."""
        if self._kept is None or self._kept.example != example:
            self.clear()
            made = World(self._provider, example)
            made.make_ground()
            self._kept = made
        return World(provider, example, self._kept)

    def forget(self) -> None:
        """Leave the ground to what a failed test left on it."""
        self._kept = None

    def clear(self) -> None:
        """Delete it."""
        last, self._kept = self._kept, None
        if last is not None:
            last.clear()


@pytest.fixture(scope="session")
def grounds(endpoint: str) -> Iterator[Grounds]:
    """Made and deleted by a provider that nothing disturbs."""
    provider = AwsProvider(account(endpoint), Clients(account(endpoint), pause=lambda _: None))
    grounds = Grounds(provider)
    yield grounds
    grounds.clear()
    provider.close()


@pytest.fixture
def make(provider: AwsProvider, grounds: Grounds, request: pytest.FixtureRequest) -> Iterator[Callable[[Example | str], World]]:
    """Worlds on their examples' grounds, cleared at the end."""
    worlds: list[World] = []
    failed = request.session.testsfailed

    def world(example: Example | str) -> World:
        worlds.append(grounds.world(BY_NAME[example] if isinstance(example, str) else example, provider))
        return worlds[-1]

    yield world
    if request.session.testsfailed > failed:
        grounds.forget()
        return
    for one in worlds:
        one.clear()
