"""hvac's calls for kv of both versions, cubbyhole, and `read`, `write`, `list` and `delete` of any path, beside OpenBao."""

import pytest
from hvac import exceptions

from hvac_beside import Pair, Told

LATEST = {"raise_on_deleted_version": True}


def test_secrets_of_version_one_are_written_read_listed_and_deleted(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("kv", path="one", options={"version": "1"})
        v1 = client.secrets.kv.v1
        v1.create_or_update_secret("a/b", {"x": "y"}, mount_point="one")
        v1.create_or_update_secret("a/b", {"x": "z", "n": 1, "deep": {"l": [1, None]}}, method="PUT", mount_point="one")
        assert v1.read_secret("a/b", mount_point="one")["data"]["x"] == "z"
        assert v1.list_secrets("a", mount_point="one")["data"]["keys"] == ["b"]
        assert v1.list_secrets("", mount_point="one")["data"]["keys"] == ["a/"]
        v1.delete_secret("a/b", mount_point="one")
        with pytest.raises(exceptions.InvalidPath):
            v1.read_secret("a/b", mount_point="one")
        with pytest.raises(exceptions.InvalidPath):
            v1.list_secrets("a", mount_point="one")

    both.tell(tale)


@pytest.mark.filterwarnings("ignore:The raise_on_deleted_version parameter:DeprecationWarning")  # of hvac's own `patch`
def test_secrets_of_version_two_have_versions(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("kv", path="two", options={"version": "2"})
        v2, at = client.secrets.kv.v2, {"mount_point": "two"}
        v2.read_configuration(**at)
        v2.configure(max_versions=5, cas_required=False, delete_version_after="100h", **at)
        assert v2.read_configuration(**at)["data"]["max_versions"] == 5
        v2.create_or_update_secret("a/b", {"x": "1"}, cas=0, **at)
        with pytest.raises(exceptions.InvalidRequest):
            v2.create_or_update_secret("a/b", {"x": "2"}, cas=0, **at)
        v2.patch("a/b", {"y": "2"}, **at)
        assert v2.read_secret("a/b", **LATEST, **at)["data"]["data"] == {"x": "1", "y": "2"}
        assert v2.read_secret_version("a/b", version=1, **LATEST, **at)["data"]["data"] == {"x": "1"}
        v2.delete_latest_version_of_secret("a/b", **at)
        with pytest.raises(exceptions.InvalidPath):
            v2.read_secret_version("a/b", **LATEST, **at)
        v2.undelete_secret_versions("a/b", [2], **at)
        v2.delete_secret_versions("a/b", [1], **at)
        v2.destroy_secret_versions("a/b", [1], **at)
        with pytest.raises(exceptions.InvalidPath):
            v2.read_secret_version("a/b", version=1, **LATEST, **at)
        v2.update_metadata("a/b", max_versions=3, cas_required=True, delete_version_after="1h", custom_metadata={"k": "v"}, **at)
        v2.read_secret_metadata("a/b", **at)
        with pytest.raises(exceptions.InvalidRequest):
            v2.create_or_update_secret("a/b", {"x": "3"}, **at)
        assert v2.list_secrets("a", **at)["data"]["keys"] == ["b"]
        with pytest.raises(exceptions.InvalidPath):
            v2.patch("a/none", {"y": "2"}, **at)
        v2.delete_metadata_and_all_versions("a/b", **at)
        with pytest.raises(exceptions.InvalidPath):
            v2.list_secrets("a", **at)
        with pytest.raises(exceptions.InvalidPath):
            v2.read_secret_metadata("a/b", **at)

    both.tell(tale)


def test_a_cubbyhole_belongs_to_its_token(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        other = told.client(client.auth.token.create(policies=["default"])["auth"]["client_token"])
        client.write_data("cubbyhole/a/b", data={"x": "y"})
        assert client.read("cubbyhole/a/b")["data"] == {"x": "y"}
        assert client.list("cubbyhole/a")["data"]["keys"] == ["b"]
        assert client.list("cubbyhole")["data"]["keys"] == ["a/"]
        assert other.read("cubbyhole/a/b") is None
        assert other.list("cubbyhole") is None
        client.delete("cubbyhole/a/b")
        assert client.read("cubbyhole/a/b") is None
        client.delete("cubbyhole/a/b")

    both.tell(tale)


def test_any_path_is_written_read_listed_and_deleted(both: Pair):
    def tale(told: Told) -> None:
        client = told.client()
        client.sys.enable_secrets_engine("kv", path="any", options={"version": "1"})
        client.write("any/a", None, x="y")
        client.write_data("any/b", data={"x": "y"})
        assert client.list("any/")["data"]["keys"] == ["a", "b"]
        assert client.read("any/a", wrap_ttl="1m")["wrap_info"]["ttl"] == 60
        client.delete("any/a")
        assert client.read("any/a") is None
        assert client.list("any/none") is None
        assert client.read("nowhere/a") is None
        with pytest.raises(exceptions.InvalidPath):
            client.write_data("nowhere/a", data={"x": "y"})

    both.tell(tale)
