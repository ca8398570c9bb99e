"""Operations that go as they should, and what they write down."""

from pathlib import Path

import pytest

from provisioning.plan.model import deposed
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE
from provisioning.secrets import SEALED, has_sealed, seal_values
from stratumops.errors import NotFoundError

from .world import World, create, fifty, resource, step, world

pytestmark = pytest.mark.anyio


async def test_a_plan_becomes_resources_in_the_order_of_their_needs(here: World):
    state = await here.done([create("server.web", "subnet.a"), create("subnet.a", "vpc.main"), create("vpc.main")])

    assert state.operation.status == "succeeded"
    assert state.progress == 1.0
    assert [one.address for one in here.cloud.requests("Create")] == ["vpc.main", "subnet.a", "server.web"]
    assert here.recorded() == {"server.web": "server-0001", "subnet.a": "subnet-0001", "vpc.main": "vpc-0001"}
    here.in_step()


async def test_fifty_steps_run_in_parallel_and_every_one_once(here: World):
    state = await here.done(fifty())

    assert state.operation.status == "succeeded"
    assert len(here.recorded()) == 50
    assert len(here.cloud.requests("Create")) == 50
    assert all(run.attempts == 1 and run.status == "succeeded" for run in here.store.steps(state.operation.id))
    here.in_step()


async def test_every_object_carries_its_address_the_lineage_and_its_own_tags(here: World):
    await here.done([create("server.web", tags={"Team": "shop"})])

    [one] = here.cloud.objects().values()
    assert one["tags"] == {"Team": "shop", TAG_ADDRESS: "server.web", TAG_LINEAGE: here.lineage}


async def test_a_call_stands_in_the_journal_with_its_part_and_its_end(here: World):
    state = await here.done([create("vpc.main")])

    intents = here.store.intents(operation=state.operation.id)
    assert [(one.call, one.part, one.outcome) for one in intents] == [
        ("Create", "", "done"),
        ("CreateGateway", "gateway", "done"),
    ]
    assert all(one.address == "vpc.main" and one.ended_at >= one.begun_at for one in intents)


async def test_an_update_keeps_the_id_and_records_the_new_values(here: World):
    await here.done([create("server.web", size=1)])
    await here.done([step("update", "server.web", wanted=resource("server.web", size=2), paths=("size",))])

    one = here.store.resource("server.web")
    assert (one.id, one.values["size"]) == ("server-0001", 2)
    assert here.cloud.objects()["server-0001"]["content"]["size"] == 2


async def test_a_renamed_resource_gets_its_new_address_in_the_state_and_in_its_tag(here: World):
    await here.done([create("server.old")])
    await here.done([step("update", "server.new", wanted=resource("server.new"), paths=("name",), previous="server.old")])

    assert here.recorded() == {"server.new": "server-0001"}
    assert here.cloud.by_address() == {"server.new": ["server-0001"]}


async def test_a_successor_is_made_beside_the_old_one_which_goes_afterwards(here: World):
    await here.done([create("server.web", size=1)])
    new = step("create", "server.web", wanted=resource("server.web", size=2), is_replacement=True)
    gone = step("delete", deposed("server.web"), "create:server.web")

    state = await here.done([new, gone])

    assert state.operation.status == "succeeded"
    assert here.recorded() == {"server.web": "server-0002"}
    assert list(here.cloud.objects()) == ["server-0002"]
    [tag] = here.cloud.by_address()
    assert tag.startswith("server.web~")


async def test_a_successor_of_a_successor_is_told_from_it(here: World):
    await here.done([create("server.web")])
    for _ in range(2):
        new = step("create", "server.web", wanted=resource("server.web"), is_replacement=True)
        await here.done([new, step("delete", deposed("server.web"), "create:server.web")])

    assert here.recorded() == {"server.web": "server-0003"}
    here.in_step()


async def test_what_a_resource_names_reaches_its_provider_as_it_is_recorded(here: World):
    await here.done([create("vpc.main")])
    await here.done([_uses("server.web", "vpc.main", "server.nowhere")])
    refused = await here.done([step("delete", "vpc.main")], rolls_back_on_failure=False)

    assert "in use by server-0001" in refused.operation.error

    await here.done([step("delete", "server.web")])
    assert here.recorded() == {"vpc.main": "vpc-0001"}


def _uses(address: str, *names: str):
    return step("create", address, wanted=resource(address, *((f"uses[{i}]", name) for i, name in enumerate(names))))


async def test_deleting_what_somebody_deleted_already_is_no_error(here: World):
    await here.done([create("server.web")])
    here.cloud.remove("server-0001")

    state = await here.done([step("delete", "server.web")])

    assert state.operation.status == "succeeded"
    assert here.recorded() == {}


async def test_a_backup_is_made_before_the_deletion_that_needs_it(here: World):
    await here.done([create("database.main")])
    state = await here.done([step("backup", "database.main"), step("delete", "database.main", "backup:database.main")])

    assert [object_ for object_, _ in here.cloud.backups()] == ["database-0001"]
    assert here.store.steps(state.operation.id)[0].result["backup"].startswith("backup-")


async def test_handles_are_resolved_for_the_provider_only(tmp_path: Path):
    with world(tmp_path, handles={"vault:secret/db#password": "correct horse"}) as here:
        await here.done([create("database.main", password="vault:secret/db#password")])

        assert here.cloud.objects()["database-0001"]["content"]["password_length"] == 13
        assert here.store.resource("database.main").values["password"] == "vault:secret/db#password"


async def test_no_secret_is_written_anywhere_by_us(tmp_path: Path):
    with world(tmp_path, handles={"vault:secret/db#password": "correct horse"}) as here:
        context = f"{here.lineage}/database.main"
        values = await seal_values(
            {"name": "main", "password": "vault:secret/db#password", "user_data": "export KEY=battery"}, here.vault, context
        )
        assert has_sealed(values)
        await here.done([step("create", "database.main", wanted={**resource("database.main"), "values": values})])

        assert here.cloud.objects()["database-0001"]["content"]["user_data"] == "export KEY=battery"
        outputs = here.store.resource("database.main").outputs
        assert await here.vault.unseal(outputs["admin_password"][SEALED], f"{context}/outputs#admin_password") == (
            "initial-of-database-0001"
        )
    assert _files_with(tmp_path, b"database.main")
    for word in (b"correct horse", b"battery", b"initial-of-"):
        assert _files_with(tmp_path, word) == []


def _files_with(folder: Path, word: bytes) -> list[Path]:
    """Our own files that have it; what a provider has is its own."""
    ours = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("cloud.db")]
    return [path for path in ours if word in path.read_bytes()]


async def test_a_handle_that_names_nothing_fails_the_step_and_not_the_process(here: World):
    state = await here.done([create("database.main", password="vault:secret/none#password")])

    assert state.operation.status == "rolled_back"
    assert "there is no secret" in state.operation.error
    assert here.cloud.requests("Create") == []


async def test_a_plan_of_no_steps_succeeds(here: World):
    state = await here.done([])

    assert (state.operation.status, state.progress, state.steps) == ("succeeded", 1.0, ())


async def test_a_status_is_asked_by_the_id_of_something_that_exists(here: World):
    with pytest.raises(NotFoundError):
        here.control.status("op-nothing")


async def test_two_workspaces_work_one_after_the_other_in_one_process(tmp_path: Path):
    for name in ("one", "two", "one"):
        with world(tmp_path / name) as here:
            state = await here.done([create(f"server.w{len(here.recorded())}")])
            assert state.operation.status == "succeeded"
    with world(tmp_path / "one") as here:
        assert here.recorded() == {"server.w0": "server-0001", "server.w1": "server-0002"}
