"""Steps that make no resource: health checks, backups, waiting. A task type is declared once, in `TASKS`."""

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.base import Calls, Provider
from provisioning.resource import Recorded
from stratumops.errors import InvalidInputError, StratumError

_PLACES = ("public_ip", "private_ip", "address", "endpoint", "host", "ip")
"""The outputs that may say where a resource is reached, the most likely one first."""
_LONGEST_WAIT = 86_400.0


class TaskUnavailableError(StratumError):
    """A task type that is known and cannot be done here yet: trying again cannot help."""

    code, http_status, exit_code = "task_unavailable", 501, 2
    is_permanent = True


@dataclass(frozen=True)
class Tasked:
    """What a task works with. `begun_at` is when its step first began (seconds since 1970), also after a crash."""

    config: Mapping[str, Any]
    calls: Calls
    resource: Callable[[str], Recorded]
    provider: Callable[[str], Provider]
    begun_at: float
    result: Mapping[str, Any]
    """Of an undo: what the task had answered."""


def _nothing(task: Tasked) -> str:  # noqa: ARG001 - every undo takes one
    """Of a task that changed nothing."""
    return "nothing to undo"


@dataclass(frozen=True)
class TaskType:
    """A kind of task. `run` answers JSON values for the record; `undo` says in words what it did."""

    name: str
    title: str
    run: Callable[[Tasked], Mapping[str, Any]]
    undo: Callable[[Tasked], str] = _nothing


def _check_health(task: Tasked) -> Mapping[str, Any]:
    """Ask a TCP port or an HTTP path until it answers as it should."""
    config = task.config
    kind = str(config.get("kind", "http" if config.get("path") else "tcp"))
    if kind not in {"tcp", "http", "https"}:
        raise InvalidInputError(f"a health check cannot be of the kind {kind!r}", hint="use tcp, http or https")
    host, port = _host(task), int(config.get("port", {"http": 80, "https": 443}.get(kind, 0)))
    tries, interval = int(config.get("attempts", 10)), float(config.get("interval_seconds", 1.0))
    said = ""
    for number in range(1, tries + 1):
        try:
            _ask(kind, host, port, config)
        except (OSError, http.client.HTTPException) as error:
            said = str(error) or type(error).__name__
        else:
            return {"checked": f"{kind}://{host}:{port}", "attempts": number}
        task.calls.report(f"{kind}://{host}:{port} does not answer well yet ({said}), try {number} of {tries}")
        if number < tries:
            _pause(interval, task.calls)
    raise ProviderBusyError(
        f"{kind}://{host}:{port} is not healthy after {tries} tries: {said}", hint="look at the service's log on that machine"
    )


def _ask(kind: str, host: str, port: int, config: Mapping[str, Any]) -> None:
    timeout = float(config.get("timeout_seconds", 5.0))
    if kind == "tcp":
        socket.create_connection((host, port), timeout).close()
        return
    connection = (
        http.client.HTTPConnection(host, port, timeout=timeout)
        if kind == "http"
        else http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    )
    try:
        connection.request("GET", str(config.get("path", "/")))
        status = connection.getresponse().status
    finally:
        connection.close()
    expected = config.get("expect")
    if status != int(expected) if expected is not None else status >= 400:
        raise http.client.HTTPException(f"status {status}")


def _host(task: Tasked) -> str:
    if host := task.config.get("host"):
        return str(host)
    address = task.config.get("resource")
    if not address:
        raise InvalidInputError(
            "a health check names a host or a resource", hint='add host = "10.0.0.5" or resource = "server.web"'
        )
    outputs = task.resource(str(address)).outputs
    for place in (task.config["output"],) if "output" in task.config else _PLACES:
        if isinstance(outputs.get(place), str) and outputs[place]:
            return str(outputs[place])
    raise InvalidInputError(f"{address} has no address that a health check could ask", hint="name a host", resource=address)


def _back_up(task: Tasked) -> Mapping[str, Any]:
    address = task.config.get("resource")
    if not address:
        raise InvalidInputError("a backup names a resource", hint='add resource = "db_instance.main"')
    one = task.resource(str(address))
    return {"backup": task.provider(one.provider).back_up(one, str(task.config.get("label", "")), task.calls)}


def _wait(task: Tasked) -> Mapping[str, Any]:
    seconds = float(task.config.get("seconds", 0.0))
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise InvalidInputError("a wait is between 0 seconds and a day long", hint=f"{seconds} is not")
    task.calls.report(f"waiting {seconds:g} s")
    _pause(task.begun_at + seconds - time.time(), task.calls)
    return {"waited": seconds}


def _pause(seconds: float, calls: Calls) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if calls.is_cancelled():
            raise ProviderBusyError("cancelled while waiting")
        time.sleep(min(left, 0.2))


def _not_here_yet(name: str, what: str) -> TaskType:
    def refuse(task: Tasked) -> Mapping[str, Any]:  # noqa: ARG001 - as every task
        raise TaskUnavailableError(
            f"the task {name} is not available here yet: {what}", hint="take the step out of the workflow", task=name
        )

    return TaskType(name, what, refuse)


TASKS: Mapping[str, TaskType] = MappingProxyType(
    {
        one.name: one
        for one in (
            TaskType("run_health_check", "Ask a port or a path until it answers", _check_health),
            TaskType("create_backup", "Save a resource's data", _back_up),
            TaskType("wait", "Wait", _wait),
            _not_here_yet("configure_networking", "networking inside machines"),
            _not_here_yet("install_service", "services on machines"),
        )
    }
)


def task_type(name: str, known: Mapping[str, TaskType]) -> TaskType:
    """The type of that name. Raises InvalidInputError naming those that exist."""
    try:
        return known[name]
    except KeyError:
        raise InvalidInputError(f"there is no task type {name!r}", hint=f"use one of {', '.join(sorted(known))}") from None


def is_permanent(error: Exception) -> bool:
    """Whether the same step can only fail again."""
    if isinstance(error, ProviderError | TaskUnavailableError):
        return error.is_permanent
    return not (isinstance(error, StratumError) and error.http_status == 503)
