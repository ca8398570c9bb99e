"""The sandbox's own process: moto behind a door that answers loopback only, and a clock that ends it when nobody calls.

Run as `python -m provisioning.providers.sandbox.server FOLDER [IDLE_SECONDS]`; `process.Sandbox` does.
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partialmethod
from pathlib import Path
from typing import Any

from prov_corpus import catalogue
from provisioning.providers.aws.images import families
from provisioning.providers.sandbox.process import HOST, WHO

IDLE_LIMIT = 8 * 3600.0  # seconds
_MOST_STEP = 60.0  # seconds between two looks at the clock

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Door:
    """What stands before moto: it answers for loopback's names only, says which process it is, and remembers the last call."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.called_at = time.monotonic()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI call. A page of the internet that got a name to point here is refused: the Host header gives it away."""
        name = str(environ.get("HTTP_HOST", "")).rpartition(":")[0] or str(environ.get("HTTP_HOST", ""))
        if name not in (HOST, "localhost") or environ.get("HTTP_ORIGIN"):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"The sandbox answers programs on this machine only.\n"]
        if environ.get("PATH_INFO") == WHO:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"pid": os.getpid()}).encode()]
        self.called_at = time.monotonic()
        return self._application(environ, start_response)


def images() -> list[dict[str, Any]]:
    """Images for moto, which has none of today: one of each release of each distribution and architecture."""
    found = []
    for family, row in families().items():
        for version in catalogue.images()[family].versions:
            for arch, word in row["arch"].items():
                name = row["name"].format(version=version, arch=word).replace("ubuntu-*", f"ubuntu-{family}")
                name = name.replace("hvm-ssd*", "hvm-ssd-gp3").replace(".*-", ".0-").replace("*", "-20260901")
                digest = hashlib.sha256(name.encode()).hexdigest()[:17]
                found.append(
                    {
                        "ami_id": f"ami-{digest}",
                        "state": "available",
                        "public": True,
                        "owner_id": row["owner"],
                        "image_location": f"{row['owner']}/{name}",
                        "sriov": "simple",
                        "root_device_type": "ebs",
                        "root_device_name": "/dev/sda1" if family == "ubuntu" else "/dev/xvda",
                        "description": f"{family} {version} of the sandbox",
                        "image_type": "machine",
                        "architecture": arch,
                        "name": name,
                        "virtualization_type": "hvm",
                        "hypervisor": "xen",
                        "creation_date": "2026-09-01T00:00:00.000Z",
                    }
                )
    return found


def add_monitoring() -> None:
    """Give moto the two calls that switch detailed monitoring, which it has not."""
    from moto.core.responses import ActionResult  # noqa: PLC0415 - moto is heavy, and only in this process
    from moto.ec2.responses import EC2Response  # noqa: PLC0415 - as above

    def switch(self: Any, *, is_on: bool) -> Any:
        ids = self._get_param("InstanceIds", [])
        state = "enabled" if is_on else "disabled"
        for instance in self.ec2_backend.get_multi_instances_by_id(ids):
            instance.monitoring_state = state
        return ActionResult({"InstanceMonitorings": [{"InstanceId": one, "Monitoring": {"State": state}} for one in ids]})

    methods = {"monitor_instances": True, "unmonitor_instances": False}
    for name, is_on in methods.items():
        setattr(EC2Response, name, partialmethod(switch, is_on=is_on))


def index_tags() -> None:
    """Have moto read an object's tags by its id. Its own way tries the tags of all objects, once for each field that is told."""
    from moto.ec2.models.core import TaggedEC2Resource  # noqa: PLC0415 - as above
    from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix  # noqa: PLC0415 - as above

    def get_tags(self: Any) -> list[dict[str, str]]:
        tags = self.ec2_backend.tags.get(self.id) if self.id else None
        if not tags:
            return []
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "")
        told = {"resource_id": self.id, "resource_type": kind}
        return [{**told, "key": key, "value": value} for key, value in tags.items()]

    tagged: Any = TaggedEC2Resource
    tagged.get_tags = get_tags


def application(folder: Path) -> Door:
    """moto with today's images, behind the door."""
    listed = folder / "images.json"
    listed.write_text(json.dumps(images()), encoding="utf-8")
    os.environ["MOTO_AMIS_PATH"] = str(listed)
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # Where moto would ask the real cloud or a container engine, it finds neither.
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "sandbox"  # noqa: S105 - no secret
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415 - reads the above

    add_monitoring()
    index_tags()
    return Door(DomainDispatcherApplication(create_backend_app))


def main(folder: Path, idle_limit: float = IDLE_LIMIT) -> None:
    """Serve until SIGTERM, or until nobody called for `idle_limit` seconds."""
    os.umask(0o077)
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 - only in this process

    class Quiet(WSGIRequestHandler):
        """Calls are the journal's matter."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    door = application(folder)
    server = make_server(HOST, 0, door, threaded=True, request_handler=Quiet)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())

    def watch() -> None:
        while (left := door.called_at + idle_limit - time.monotonic()) > 0:
            time.sleep(min(left, _MOST_STEP))
        server.shutdown()

    threading.Thread(target=watch, daemon=True).start()
    told = {"pid": os.getpid(), "port": server.server_port, "started_at": time.time()}
    file = folder / "sandbox.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps(told), encoding="utf-8")
    new.replace(file)
    try:
        server.serve_forever()
    finally:
        file.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(float(text) for text in sys.argv[2:3]))
