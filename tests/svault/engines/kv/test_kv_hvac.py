"""The client that users have, over HTTP."""

import threading

import hvac
import pytest


@pytest.fixture
def client(server):
    """An hvac client of a server with `kv/` (version 1) and `kv2/`."""
    client = server.client
    client.sys.enable_secrets_engine("kv", path="kv")
    client.sys.enable_secrets_engine("kv", path="kv2", options={"version": "2"})
    return client


@pytest.mark.filterwarnings("ignore:The raise_on_deleted_version parameter:DeprecationWarning")  # hvac warns of itself in `patch`
def test_every_call_of_version_2(client):
    v2 = client.secrets.kv.v2
    v2.configure(max_versions=5, cas_required=False, delete_version_after="1h", mount_point="kv2")
    assert v2.read_configuration(mount_point="kv2")["data"]["delete_version_after"] == "1h0m0s"
    v2.create_or_update_secret("app/db", {"user": "a", "password": "1"}, cas=0, mount_point="kv2")
    with pytest.raises(hvac.exceptions.InvalidRequest, match="check-and-set parameter did not match the current version"):
        v2.create_or_update_secret("app/db", {}, cas=0, mount_point="kv2")
    v2.patch("app/db", {"password": "2"}, mount_point="kv2")
    read = v2.read_secret_version("app/db", mount_point="kv2", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"user": "a", "password": "2"}
    first = v2.read_secret_version("app/db", version=1, mount_point="kv2", raise_on_deleted_version=True)
    assert first["data"]["data"]["password"] == "1"
    assert v2.read_secret_metadata("app/db", mount_point="kv2")["data"]["current_version"] == 2
    v2.update_metadata("app/db", max_versions=3, custom_metadata={"owner": "ops"}, mount_point="kv2")
    assert v2.list_secrets("app", mount_point="kv2")["data"]["keys"] == ["db"]
    v2.delete_latest_version_of_secret("app/db", mount_point="kv2")
    with pytest.raises(hvac.exceptions.InvalidPath):
        v2.read_secret_version("app/db", mount_point="kv2", raise_on_deleted_version=True)
    deleted = v2.read_secret_version("app/db", mount_point="kv2", raise_on_deleted_version=False)
    assert deleted["data"]["data"] is None
    v2.undelete_secret_versions("app/db", versions=[2], mount_point="kv2")
    v2.delete_secret_versions("app/db", versions=[1], mount_point="kv2")
    v2.destroy_secret_versions("app/db", versions=[2], mount_point="kv2")
    versions = v2.read_secret_metadata("app/db", mount_point="kv2")["data"]["versions"]
    assert (versions["1"]["deletion_time"] != "", versions["2"]["destroyed"]) == (True, True)
    v2.delete_metadata_and_all_versions("app/db", mount_point="kv2")
    with pytest.raises(hvac.exceptions.InvalidPath):
        v2.list_secrets("app", mount_point="kv2")


def test_every_call_of_version_1(client):
    v1 = client.secrets.kv.v1
    v1.create_or_update_secret("app/ü b", {"ttl": "90s"}, mount_point="kv")
    read = v1.read_secret("app/ü b", mount_point="kv")
    assert (read["data"], read["lease_duration"], read["renewable"]) == ({"ttl": "90s"}, 90, False)
    assert v1.list_secrets("app", mount_point="kv")["data"]["keys"] == ["ü b"]
    v1.delete_secret("app/ü b", mount_point="kv")
    with pytest.raises(hvac.exceptions.InvalidPath):
        v1.read_secret("app/ü b", mount_point="kv")


def test_one_of_many_clients_with_check_and_set_wins(client, server):
    won, lost = [], []

    def write(number: int) -> None:
        try:
            server.client.secrets.kv.v2.create_or_update_secret("race", {"writer": number}, cas=0, mount_point="kv2")
            won.append(number)
        except hvac.exceptions.InvalidRequest:
            lost.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 39)
    read = client.secrets.kv.v2.read_secret_version("race", mount_point="kv2", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"writer": won[0]}


def test_a_cubbyhole_belongs_to_one_token_and_ends_with_it(client, server):
    token = client.auth.token.create(policies=["default"])["auth"]["client_token"]
    other = hvac.Client(server.url, token=token)
    other.write("cubbyhole/note", text="mine")
    assert other.read("cubbyhole/note")["data"] == {"text": "mine"}
    assert client.read("cubbyhole/note") is None
    assert other.list("cubbyhole")["data"]["keys"] == ["note"]
    client.auth.token.revoke(token)
    with pytest.raises(hvac.exceptions.Forbidden):
        other.read("cubbyhole/note")
