"""A small LXD in memory behind a unix socket: for machines where no container can start, and for answers that are rare.

It keeps networks, instances, custom volumes, snapshots and images as the real one shows them, and checks what the provider
relies on: entity tags, names that are taken, networks that are in use. The same contract runs on it and on a real LXD.
"""

import contextlib
import copy
import hashlib
import http.server
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

Json = dict[str, Any]
Answer = tuple[int, Any]


class RefusedError(Exception):
    """A status and LXD's words."""


class FakeLxd:
    """The state, and what it was asked. `script` answers first: by (method, path) a status with words, "close", "silent"."""

    def __init__(self) -> None:
        root = {"type": "disk", "path": "/", "pool": "default"}
        nic = {"type": "nic", "network": "lxdbr0", "name": "eth0"}
        self.profile: Json = {"name": "default", "devices": {"root": root, "eth0": nic}}
        self.pools: dict[str, str] = {"default": "dir"}
        bridge = {"ipv4.address": "10.9.9.1/24", "ipv6.address": "none"}
        self.networks: dict[str, Json] = {"lxdbr0": self._network("lxdbr0", bridge)}
        self.instances: dict[str, Json] = {}
        self.volumes: dict[str, Json] = {}
        self.snapshots: dict[str, Json] = {}
        self.aliases: dict[str, str] = {"alpine/3.22": "f" * 64}
        self.images: dict[str, int] = {}
        self.operations: dict[str, Json] = {}
        self.auth = "trusted"
        self.has_address = True
        self.asked: list[tuple[str, str]] = []
        self.script: dict[tuple[str, str], list[Any]] = {}
        self.gate = threading.Event()
        self.files: dict[str, bytes] = {}
        self.ran: list[Json] = []
        self.given: list[bytes] = []
        self.code = 0

    @staticmethod
    def _network(name: str, config: Json) -> Json:
        return {"name": name, "managed": True, "type": "bridge", "status": "Created", "config": dict(config), "description": ""}

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, tag: str) -> Answer:
        """What LXD answers to a request below /1.0."""
        parts = [part for part in path.removeprefix("/1.0").split("/") if part]
        match [method, *parts]:
            case ["GET"]:
                return 200, {
                    "auth": self.auth, "api_extensions": [],
                    "environment": {"server_version": "5.0-fake", "kernel_version": "6", "lxc_features": {"cgroup2": "true"}},
                }  # fmt: skip
            case ["GET", "operations", name, "wait"]:
                return 200, self.operations[name]
            case ["GET", "profiles", "default"]:
                return 200, self.profile
            case ["GET", "storage-pools"]:
                return 200, [{"name": name, "driver": driver} for name, driver in self.pools.items()]
            case ["GET", "storage-pools", name]:
                return 200, {"name": name, "driver": self.pools[name]}
            case [_, "storage-pools", pool, "volumes", "custom", *rest]:
                return self._volume(method, pool, rest, body, tag)
            case [_, "networks", *rest]:
                return self._networks(method, rest, body, tag)
            case [_, "images", *rest]:
                return self._images(method, rest, body)
            case [_, "instances", *rest]:
                return self._instance(method, rest, query, body, tag)
        raise RefusedError(404, f"no {path}")

    def _networks(self, method: str, rest: list[str], body: Any, tag: str) -> Answer:
        match [method, *rest]:
            case ["GET"]:
                return 200, list(self.networks.values())
            case ["POST"]:
                self._free(self.networks, body["name"])
                self.networks[body["name"]] = self._network(body["name"], body["config"])
                return 200, {}
            case ["GET", name, "state"]:
                address, _, length = self._at(self.networks, name)["config"].get("ipv4.address", "").partition("/")
                here = {"family": "inet", "address": address, "netmask": length, "scope": "global"}
                return 200, {
                    "addresses": [here, {**here, "family": "inet6", "address": "fe80::1", "scope": "link"}] if length else []
                }
            case ["GET", name]:
                return 200, self._at(self.networks, name)
            case ["PUT", name]:
                return self._write(self.networks, name, body, tag)
            case ["DELETE", name]:
                self._at(self.networks, name)
                if any(device.get("network") == name for one in self.instances.values() for device in one["devices"].values()):
                    raise RefusedError(400, "The network is currently in use")
                del self.networks[name]
                return 200, {}
        raise RefusedError(404, "no such network")

    def _instance(self, method: str, rest: list[str], query: dict[str, str], body: Any, tag: str) -> Answer:
        match [method, *rest]:
            case ["GET"]:
                return 200, [self._shown(name) for name in self.instances]
            case ["POST"]:
                self._free(self.instances, body["name"])
                self.instances[body["name"]] = self._made(body)
                return self._done()
            case ["GET", name, "state"]:
                self._at(self.instances, name)
                return 200, self._shown(name)["state"]
            case ["PUT", name, "state"]:
                self._at(self.instances, name)["status"] = {"start": "Running", "stop": "Stopped"}[body["action"]]
                return self._done()
            case [_, name, "snapshots", *snapshot]:
                return self._snapshot(method, f"instances/{name}", self._at(self.instances, name), snapshot, body)
            case [_, name, "files" | "exec" | "logs", *_]:
                return self._inside(method, name, rest[1:], query, body)
            case ["GET", name]:
                self._at(self.instances, name)
                return 200, self._shown(name)
            case ["PUT", name]:
                return self._write(self.instances, name, body, tag, then=self._done)
            case ["DELETE", name]:
                if self._at(self.instances, name)["status"] != "Stopped":
                    raise RefusedError(400, "The instance is currently running, stop it first")
                del self.instances[name]
                return self._done()
        raise RefusedError(404, "no such instance")

    def _inside(self, method: str, name: str, rest: list[str], query: dict[str, str], body: Any) -> Answer:
        match [method, *rest]:
            case ["POST", "files"]:
                self.files[f"{name}:{query['path']}"] = body
                return 200, {}
            case ["GET", "files"]:
                if f"{name}:{query['path']}" not in self.files:
                    raise RefusedError(404, "not found")
                return 200, self.files[f"{name}:{query['path']}"]
            case ["DELETE", "files"]:
                self.files.pop(f"{name}:{query['path']}", None)
                return 200, {}
            case ["POST", "exec"]:
                self.ran.append(body)
                self.given.append(next((data for path, data in self.files.items() if "/run/prov-" in path), b""))
                logs = {"1": f"/1.0/instances/{name}/logs/1", "2": f"/1.0/instances/{name}/logs/2"}
                return self._done({"return": self.code, "output": logs})
            case ["GET", "logs", number]:
                return 200, {"1": b"out", "2": b"err"}[number]
            case ["DELETE", "logs", _]:
                return 200, {}
        raise RefusedError(404, "no such file")

    def _made(self, body: Json) -> Json:
        config, devices = dict(body["config"]), dict(body["devices"])
        if body["source"]["type"] == "copy":
            of, _, snapshot = body["source"]["source"].partition("/")
            source = self._at(self.snapshots, f"instances/{of}/{snapshot}") if snapshot else self._at(self.instances, of)
            config, devices = {**source["config"], **config}, {**source["devices"], **devices}
        elif body["source"].get("alias") not in self.aliases and body["source"].get("mode") != "pull":
            raise RefusedError(404, "Image not found")
        return {
            "name": body["name"], "type": "container", "status": "Stopped", "config": config, "devices": devices,
            "profiles": body.get("profiles", ["default"]), "architecture": "x86_64", "ephemeral": False, "description": "",
        }  # fmt: skip

    def _shown(self, name: str) -> Json:
        instance = self.instances[name]
        profile = self.profile["devices"] if instance["profiles"] else {}
        devices = {**profile, **instance["devices"]}
        addresses = [{"family": "inet6", "address": "fe80::2", "scope": "link"}]
        if self.has_address and instance["status"] == "Running" and "eth0" in devices:
            address = devices["eth0"].get("ipv4.address", "10.9.9.77")
            addresses.append({"family": "inet", "address": address, "scope": "global"})
        state = {"status": instance["status"], "network": {"lo": {"addresses": addresses}, "eth0": {"addresses": addresses}}}
        return {**instance, "expanded_devices": devices, "state": state}

    def _volume(self, method: str, pool: str, rest: list[str], body: Any, tag: str) -> Answer:
        match [method, *rest]:
            case ["GET"]:
                return 200, [one for key, one in self.volumes.items() if key.startswith(f"{pool}/")]
            case ["POST"]:
                self._free(self.volumes, f"{pool}/{body['name']}")
                volume = {"name": body["name"], "config": dict(body["config"]), "description": ""}
                if "source" in body:
                    of, _, snapshot = body["source"]["name"].partition("/")
                    source = (
                        self._at(self.snapshots, f"{pool}/{of}/{snapshot}")
                        if snapshot
                        else self._at(self.volumes, f"{pool}/{of}")
                    )
                    volume["data"] = source.get("data")
                self.volumes[f"{pool}/{body['name']}"] = volume
                return self._done() if "source" in body else (200, {})
            case [_, name, "snapshots", *snapshot]:
                return self._snapshot(method, f"{pool}/{name}", self._at(self.volumes, f"{pool}/{name}"), snapshot, body)
            case ["GET", name]:
                return 200, self._at(self.volumes, f"{pool}/{name}")
            case ["PUT", name]:
                return self._write(self.volumes, f"{pool}/{name}", body, tag)
            case ["DELETE", name]:
                self._at(self.volumes, f"{pool}/{name}")
                if any(device.get("source") == name for one in self.instances.values() for device in one["devices"].values()):
                    raise RefusedError(400, "The storage volume is still in use")
                del self.volumes[f"{pool}/{name}"]
                return 200, {}
        raise RefusedError(404, "no such volume")

    def _snapshot(self, method: str, of: str, whole: Json, rest: list[str], body: Any) -> Answer:
        if method == "POST":
            self._free(self.snapshots, f"{of}/{body['name']}")
            self.snapshots[f"{of}/{body['name']}"] = copy.deepcopy(whole)
            return self._done()
        key = f"{of}/{rest[0]}"
        found = self._at(self.snapshots, key)
        if method == "DELETE":
            del self.snapshots[key]
            return self._done()
        return 200, found

    def _images(self, method: str, rest: list[str], body: Any) -> Answer:
        match [method, *rest]:
            case ["POST"]:
                fingerprint = hashlib.sha256(body).hexdigest()
                self.images[fingerprint] = len(body)
                return self._done({"fingerprint": fingerprint})
            case ["GET", "aliases"]:
                return 200, [{"name": name, "target": target} for name, target in self.aliases.items()]
            case ["POST", "aliases"]:
                self.aliases[body["name"]] = body["target"]
                return 200, {}
            case ["GET", fingerprint] if fingerprint in self.images:
                return 200, {"fingerprint": fingerprint}
        raise RefusedError(404, "Image not found")

    def _write(self, kept: dict[str, Json], key: str, body: Json, tag: str, then: Callable[[], Answer] | None = None) -> Answer:
        now = self._at(kept, key)
        if tag != tag_of(now):
            raise RefusedError(412, "Precondition failed")
        now |= {field: body[field] for field in ("config", "devices", "description") if field in body}
        return then() if then else (200, {})

    @staticmethod
    def _at(kept: dict[str, Json], key: str) -> Json:
        if key not in kept:
            raise RefusedError(404, f"{key} not found")
        return kept[key]

    @staticmethod
    def _free(kept: dict[str, Json], key: str) -> None:
        if key in kept:
            raise RefusedError(409, f"{key} already exists")

    def _done(self, metadata: Json | None = None) -> Answer:
        return self.operation(200, metadata=metadata)

    def operation(self, status: int, words: str = "", metadata: Json | None = None) -> Answer:
        """An operation that ended so."""
        name = f"op-{len(self.operations)}"
        self.operations[name] = {"status_code": status, "status": "", "err": words, "metadata": metadata}
        return 202, name


def tag_of(record: Json) -> str:
    """The entity tag of a record's writable part."""
    part = {key: record.get(key) for key in ("config", "devices", "description")}
    return hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        fake = self.server.fake
        parsed = urlparse(self.path)
        path = parsed.path
        fake.asked.append((self.command, path))
        body: Any = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        if "json" in self.headers.get("Content-Type", ""):
            body = json.loads(body)
        scripted = fake.script.get((self.command, path))
        said = scripted.pop(0) if scripted else None
        if said == "close":
            self.close_connection = True
            return
        if said == "silent":
            fake.gate.wait(30)
            self.close_connection = True
            return
        query = {key: values[0] for key, values in parse_qs(parsed.query).items()}
        try:
            status, what = said or fake.answer(self.command, path, query, body, self.headers.get("If-Match", ""))
        except RefusedError as error:
            status, what = error.args
        self._send(status, what)

    def _send(self, status: int, what: Any) -> None:
        if isinstance(what, bytes):
            data = what
        elif status >= 400:
            data = json.dumps({"type": "error", "error": what, "error_code": status}).encode()
        elif status == 202:
            data = json.dumps({"type": "async", "operation": f"/1.0/operations/{what}", "metadata": {}}).encode()
        else:
            data = json.dumps({"type": "sync", "metadata": what}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/octet-stream" if isinstance(what, bytes) else "application/json")
        if isinstance(what, dict):
            self.send_header("ETag", tag_of(what))
        # As Go's server answers who wants no kept connection.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names that the library looks for

    def log_message(self, *_: Any) -> None:
        """Nothing is written."""

    def address_string(self) -> str:
        """A unix socket has no address."""
        return "unix"


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, socket: Path, fake: FakeLxd) -> None:
        self.fake = fake
        super().__init__(str(socket), _Handler)


@contextlib.contextmanager
def fake_lxd(folder: Path) -> Iterator[FakeLxd]:
    """Serve one at `folder/unix.socket`."""
    fake = FakeLxd()
    with _Server(folder / "unix.socket", fake) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield fake
        finally:
            fake.gate.set()
            server.shutdown()
            thread.join(10)
