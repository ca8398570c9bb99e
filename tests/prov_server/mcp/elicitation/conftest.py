"""An application whose operator lets a person approve in the client's dialogue, over a cloud of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from prov_server import compose
from prov_server.compose import Application
from provisioning.providers.sandbox.process import Sandbox
from stratumops.principal import LOCAL
from stratumops.settings import load
from stratumops.workspace import Workspace

CONFIG = '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'


@pytest.fixture
def counts() -> bool:
    """Whether the operator lets what is said there count."""
    return True


@pytest.fixture
def sandbox(workspace: Workspace) -> Iterator[None]:
    """Ends the cloud that an approved plan started."""
    yield
    Sandbox(workspace.own / "sandbox").stop()


@pytest.fixture
async def application(
    workspace: Workspace, sandbox: None, counts: bool, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> AsyncIterator[Application]:
    monkeypatch.setenv("PROV_ENGINE__PROVIDER", "sandbox")
    monkeypatch.setenv("PROV_ENGINE__ELICITATION", "true" if counts else "false")
    app = compose.build(workspace, load(None, nickel={"workers": 1}))
    yield app
    await app.aclose()


async def planned(app: Application, config: str = CONFIG) -> str:
    """The id of a new plan."""
    output = await app.call("plan_config", {"config": config}, principal=LOCAL, face="cli")
    return str(output.model_dump()["plan_id"])


async def is_approved(app: Application, plan_id: str) -> bool:
    """Whether somebody approved, by what is signed and kept."""
    engine = await app.engine()
    stored, _ = await engine.find_plan(plan_id)
    return bool((await engine.store()).approvals(stored.sha256))


async def is_denied(app: Application, plan_id: str) -> bool:
    """Whether somebody denied it."""
    stored, _ = await (await app.engine()).find_plan(plan_id)
    return bool(stored.denied_by)
