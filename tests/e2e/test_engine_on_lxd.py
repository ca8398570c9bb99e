"""The shop for real, in containers of this machine: planned, approved, applied, changed by hand, rolled back, destroyed.

Everything is looked at with plain pylxd, not with our own reader.
"""

import ipaddress
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_person import Person
from lxd import Lxd, lxd_daemon

pytestmark = [pytest.mark.lxd, pytest.mark.xdist_group("lxd"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def lxd() -> Iterator[Lxd]:
    """A throw-away daemon."""
    with lxd_daemon() as daemon:
        yield daemon


@pytest.fixture
def person(tmp_path: Path) -> Person:
    one = Person(tmp_path)
    assert one.becomes_approver().code == 0
    return one


def shop(part: str, servers: int) -> str:
    """The shop of the sandbox, as far as containers go, with addresses of its own."""
    rows = ", ".join(
        f"""{{ name = "web-{number}", networking = {{ subnet = "public" }},
      spec = {{ cpu = 1, memory_gb = 0.25, disk_gb = 20, os = {{ family = "alpine", version = "3.22" }} }} }}"""
        for number in range(servers)
    )
    return f"""{{
  name = "shop",
  provider = 'local,
  networking = {{ vpc_cidr = "{part}.0/24", subnets = [{{ name = "public", cidr = "{part}.0/26", tier = 'public }}] }},
  servers = [{rows}],
}}
"""


def ours(lxd: Lxd, lineage: str) -> dict[str, Any]:
    """The instances of a state, by what their mark says."""
    found = lxd.client().instances.all()
    return {one.config["user.prov.id"]: one for one in found if one.config.get("user.prov.lineage") == lineage}


def bridges(lxd: Lxd, lineage: str) -> list[str]:
    """The networks of a state, by what their mark says: other tests have theirs at the same daemon."""
    found = (one for one in lxd.client().networks.all() if one.managed)
    return [one.name for one in found if one.config.get("user.prov.lineage") == lineage]


def test_a_person_takes_a_shop_from_a_plan_to_containers_and_to_nothing(lxd: Lxd, person: Person):
    number = secrets.randbelow(512)
    part = f"198.{18 + number // 256}.{number % 256}"
    options = ["--endpoint", str(lxd.folder), "--option", "image_server=", "--option", "nat=false"]
    added = person.prov("provider", "add", "local", *options)
    assert added.code == 0, added.err
    tested = person.prov("provider", "test", "local")
    assert tested.code == 0, tested.out
    person.write(shop(part, 2))
    applied = person.approves("apply", "main.ncl")
    assert applied.code == 0, applied.out
    lineage: str = person.prov("state", "history", "--json").json["lineage"]
    try:
        instances = ours(lxd, lineage)
        assert set(instances) == {"server.web-0", "server.web-1"}
        assert len(bridges(lxd, lineage)) == 1
        for one in instances.values():
            assert one.status == "Running"
            assert one.config["limits.memory"] == "256MiB"
            recorded = person.prov("state", "show", one.config["user.prov.id"], "--json").json
            assert recorded["id"] == one.name
            assert ipaddress.ip_address(recorded["outputs"]["private_ip"]) in ipaddress.ip_network(f"{part}.0/26")
        asked = person.prov("query", "how many servers are running?", "--json").json
        assert asked["answer"].startswith("2")
        assert person.prov("drift").code == 0

        instances["server.web-1"].stop(force=True, wait=True)
        instances["server.web-1"].delete(wait=True)
        instances["server.web-0"].config["limits.memory"] = "128MiB"
        instances["server.web-0"].save(wait=True)
        drift = person.prov("drift", "--json")
        assert drift.code == 1
        states = {one["address"]: one["state"] for one in drift.json["drifted"]}
        assert states == {"server.web-0": "changed", "server.web-1": "missing"}

        mended = person.approves("apply", "main.ncl")
        assert mended.code == 0, mended.out
        instances = ours(lxd, lineage)
        assert {one.config["limits.memory"] for one in instances.values()} == {"256MiB"}
        assert len(instances) == 2

        person.write(shop(part, 3))
        grown = person.approves("apply", "main.ncl")
        assert grown.code == 0, grown.out
        assert len(ours(lxd, lineage)) == 3
        back = person.approves("rollback")
        assert back.code == 0, back.out
        assert set(ours(lxd, lineage)) == {"server.web-0", "server.web-1"}
    finally:
        gone = person.approves("destroy")
    assert gone.code == 0, gone.out
    assert ours(lxd, lineage) == {}
    assert bridges(lxd, lineage) == []
    assert person.prov("state", "list", "--json").json["count"] == 0
