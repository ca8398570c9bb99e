"""`prov mcp doctor`: does everything that a client needs work on this machine? Each check says what to do when it does not."""

import asyncio
import http.client
import json
import os
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prov_server.install.clients import Client, Scope, clients
from prov_server.install.handshake import handshake
from prov_server.install.registration import registered, running_command, serve_arguments
from stratumops.errors import StratumError
from stratumops.settings import FILE_NAME, Settings, load
from stratumops.workspace import OWN_FOLDER, Workspace

Status = Literal["ok", "warn", "fail"]

OLDEST_PYTHON, FIRST_UNTRIED_PYTHON = (3, 11), (3, 14)
SLOW_START_SECONDS = 5.0
_SCOPES: tuple[Scope, ...] = ("user", "project")
_KEPT_SECRET = ("token", "key", "secret")


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `ok` works, `warn` works with a loss, `fail` does not work. `fix` says what to do; empty when it is ok."""

    name: str
    status: Status
    message: str
    fix: str = ""


def doctor(
    workspace: Path, settings: Settings | None = None, client: Client | None = None, *, home: Path | None = None
) -> list[Check]:
    """Run every check, in the order in which a person should read them; nothing is changed and nothing is raised.

    `settings` are loaded from the workspace when they are not given. `client` asks for one client in particular: that it
    does not know us is then a failure. Must not be called inside a running event loop; see `examine`.
    """
    return asyncio.run(examine(workspace, settings, client, home=home))


async def examine(
    workspace: Path, settings: Settings | None = None, client: Client | None = None, *, home: Path | None = None
) -> list[Check]:
    """`doctor` for callers that are in an event loop."""
    about_workspace = _workspace(workspace)
    usable = about_workspace.status != "fail"
    about_settings, settings = _settings(workspace if usable else None, settings)
    checks = [_python(), *_command(), about_workspace, about_settings]
    checks.append(_landlock())
    checks.append(await _nickel(settings))
    if usable:
        checks.append(await _handshake(workspace))
    checks.append(await asyncio.to_thread(_port, settings))
    checks += _clients(workspace, client, home)
    checks += _permissions(workspace / OWN_FOLDER)
    return checks


def _python() -> Check:
    running = sys.version_info[:2]
    said = f"Python {platform.python_version()}"
    if running < OLDEST_PYTHON:
        return Check("python", "fail", said, "install with Python 3.11, 3.12 or 3.13")
    if running >= FIRST_UNTRIED_PYTHON:
        return Check("python", "warn", f"{said} is newer than what we test", "use Python 3.11, 3.12 or 3.13 when something fails")
    return Check("python", "ok", said)


def _command() -> Iterator[Check]:
    try:
        running = running_command()
    except StratumError as error:
        yield Check("command", "fail", error.message, error.hint)
        return
    on_path = shutil.which("prov")
    if on_path is None:
        fix = f"clients start it by its full path; to type it yourself, add {Path(running).parent} to PATH"
        yield Check("command", "warn", f"{running}, which is not on PATH", fix)
    elif Path(on_path).resolve() != Path(running).resolve():
        yield Check(
            "command", "warn", f"{running} runs now, but `prov` on PATH is {on_path}", "remove the one that you do not want"
        )
    else:
        yield Check("command", "ok", running)


def _workspace(path: Path) -> Check:
    if not path.is_dir():
        return Check("workspace", "fail", f"{path} is not a folder", "create it, or name another one with --workspace")
    if not os.access(path, os.R_OK | os.X_OK):
        return Check(
            "workspace", "fail", f"{path} cannot be read", "change its permissions, or name another one with --workspace"
        )
    if not os.access(path, os.W_OK):
        return Check(
            "workspace", "warn", f"{path} cannot be written", "tools that keep records will fail; change its permissions"
        )
    try:
        count = len(Workspace.at(path).all_readable_files())
    except StratumError as error:
        return Check("workspace", "warn", f"{path}: {error.message}", error.hint)
    return Check("workspace", "ok", f"{path}, {count} configuration file{'' if count == 1 else 's'}")


def _settings(workspace: Path | None, settings: Settings | None) -> tuple[Check, Settings]:
    if settings is None:
        try:
            settings = load(workspace)
        except StratumError as error:
            return Check("settings", "fail", error.message, error.hint), Settings.model_construct()
    file = workspace / FILE_NAME if workspace else None
    from prov_server.install.agreement import disagreements  # noqa: PLC0415 - the server starts without it

    if found := disagreements(settings):
        return Check("settings", "fail", f"{found[0].key}: {found[0].message}", found[0].hint), settings
    source = FILE_NAME if file and file.is_file() else f"no {FILE_NAME}, so defaults and the environment"
    return Check("settings", "ok", source), settings


def _landlock() -> Check:
    from prov_gen.nickel.sandbox import landlock  # noqa: PLC0415 - the server starts without it

    version = landlock.abi() if sys.platform == "linux" else 0
    if version > 0:
        return Check("sandbox", "ok", f"Landlock, ABI {version}")
    fix = "use Linux 5.13 or newer with Landlock enabled (`lsm=` of the kernel's command line)"
    return Check("sandbox", "warn", "no Landlock here: configurations that import files of the workspace are refused", fix)


async def _nickel(settings: Settings) -> Check:
    from prov_gen.nickel import Limits, Nickel, NickelSource  # noqa: PLC0415 - the server starts without it
    from prov_server.compose import nickel_program  # noqa: PLC0415 - as above

    program = settings.nickel.program
    used = program or "the bundled Nickel"
    limits = Limits.of(memory_megabytes=settings.nickel.memory_megabytes, deadline_seconds=settings.nickel.deadline_seconds)
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with Nickel(limits=limits, size=1, program=nickel_program(program)) as nickel:
            answer = await nickel.evaluate(NickelSource("{ answer = 6 * 7 }"))
    except (StratumError, OSError) as error:
        fix = (error.hint if isinstance(error, StratumError) else "") or "check the setting nickel.program, or install again"
        return Check("nickel", "fail", f"{used} does not answer: {error}", fix)
    if answer != {"answer": 42}:
        return Check("nickel", "fail", f"{used} answers nonsense", "check the setting nickel.program")
    return Check("nickel", "ok", f"{used} answers in {(loop.time() - started) * 1000:.0f} ms")


async def _handshake(workspace: Path) -> Check:
    try:
        met = await handshake(running_command(), serve_arguments(workspace), folder=workspace)
    except StratumError as error:
        return Check("server", "fail", error.message, error.hint)
    said = (
        f"{met.server} {met.version}, protocol {met.protocol}: initialized after {met.initialize_seconds * 1000:.0f} ms, "
        f"{len(met.tools)} tools after {met.tools_seconds * 1000:.0f} ms"
    )
    if not met.tools:
        return Check("server", "fail", said, "`mcp.toolsets` and `mcp.read_only` in the settings leave no tool")
    if met.initialize_seconds > SLOW_START_SECONDS:
        return Check("server", "warn", said, "clients give up on slow servers; look for a slow disk or a loaded machine")
    return Check("server", "ok", said)


def _port(settings: Settings) -> Check:
    host, port = settings.server.host, settings.server.port
    if port == 0:
        return Check("port", "ok", "`prov serve` takes any free port")
    fix = f"stop the other program, or set another port: prov config set server.port {port + 1 if port < 65535 else 8002}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if _is_ours(host, port):
            return Check("port", "ok", f"`prov serve` answers on {host}:{port}")
        return Check("port", "warn", f"{host}:{port} cannot be taken: {error.strerror or error}", fix)
    return Check("port", "ok", f"{host}:{port} is free for `prov serve`")


def _is_ours(host: str, port: int) -> bool:
    """Whether what listens there answers `/health` as our server does: a JSON object with a `status`."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health")
        body = json.loads(connection.getresponse().read(65536))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(body, dict) and "status" in body


def _clients(workspace: Path, wanted: Client | None, home: Path | None) -> list[Check]:
    checks = []
    for client in [wanted] if wanted else clients():
        for scope in _SCOPES:
            if (scope == "project" and client.project is None) or (scope == "user" and sys.platform not in client.user):
                continue
            found = _client(client, scope, workspace, home)
            if found:
                checks.append(found)
    if not checks and wanted:
        install = f"prov mcp install --client {wanted.name}"
        return [Check(f"client {wanted.name}", "fail", f"{wanted.title} does not know this server", install)]
    if not checks:
        return [Check("clients", "warn", "no client on this machine knows this server", "prov mcp install --client NAME")]
    return checks


def _client(client: Client, scope: Scope, workspace: Path, home: Path | None) -> Check | None:
    name = f"client {client.name}" + (" (project)" if scope == "project" else "")
    try:
        entry = registered(client, scope=scope, home=home, project=workspace)
    except StratumError as error:
        return Check(name, "fail", error.message, error.hint)
    if entry is None:
        return None
    path = client.config_path(scope, home=home, project=workspace)
    named = str(entry.get("command", ""))
    command = named.replace("${workspaceFolder}", str(workspace))
    scoped = f"prov mcp install --client {client.name}" + (" --scope project" if scope == "project" else "")
    # Other variables are the client's own: only it knows what it puts in their place.
    if "${" in command or (command and shutil.which(command)):
        return Check(name, "ok", f"{client.title} starts {named} ({path})")
    cloned = workspace / ".venv" / "bin"
    if command and shutil.which(cloned / command):
        fix = f"start {client.title} from a shell with {cloned} on PATH, or: prov mcp install --client {client.name}"
        return Check(name, "warn", f"{client.title} starts {named}, which is in .venv but not on PATH ({path})", fix)
    return Check(name, "fail", f"{client.title} would start {named!r}, which is no program here ({path})", scoped)


def _permissions(own: Path) -> Iterator[Check]:
    if not own.is_dir():
        yield Check("files", "ok", f"no {OWN_FOLDER} yet")
        return
    loose = []
    if stat.S_IMODE(own.stat().st_mode) & 0o077:
        loose.append((own, "700"))
    try:
        entries = sorted(own.iterdir())
    except OSError as error:
        yield Check("files", "fail", f"{own} cannot be read: {error.strerror}", f"chmod 700 {own}")
        return
    for path in entries:
        kept = any(word in path.name.lower() for word in _KEPT_SECRET)
        if kept and path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o177:
            loose.append((path, "600"))
    for path, mode in loose:
        yield Check("files", "fail", f"others may reach {path}", f"chmod {mode} {path}")
    if not loose:
        yield Check("files", "ok", f"{OWN_FOLDER} is for you alone")
