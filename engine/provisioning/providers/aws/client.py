"""How AWS is asked: one client for each service and region, errors translated, every change between its intent and its result."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError
from provisioning.providers.aws.errors import GoneError, translated
from provisioning.providers.base import Account, Calls

DEFAULT_REGION = "us-east-1"
GLOBAL = frozenset({"iam", "route53", "sts"})
"""Services that have one endpoint for all regions."""

CHUNK = 200
"""Values that one filter of EC2 takes."""

_CONNECT_LIMIT, _READ_LIMIT = 5, 30  # seconds
_SHORT_WAIT, _LONG_WAIT = 1.0, 15.0  # seconds


@cache
def _models() -> Any:
    """The descriptions of the services' APIs, read once in a process: they take longer to read than all else takes together."""
    from botocore.loaders import create_loader  # type: ignore[import-untyped] # noqa: PLC0415 - as boto3 below

    return create_loader()


class Clients:
    """The clients of one account; safe for threads. boto3 retries nothing: the engine does, and its journal knows of each try."""

    def __init__(self, account: Account, pause: Callable[[float], None] = time.sleep) -> None:
        self.account = account
        self.pause = pause
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session: Any = None
        self._locks: dict[str, threading.Lock] = {}

    def lock(self, what: str) -> threading.Lock:
        """The lock of something that resources share (a network's routes); the lease keeps other processes away."""
        with self._lock:
            return self._locks.setdefault(what, threading.Lock())

    @property
    def hidden(self) -> tuple[str, ...]:
        """Values that no message may repeat."""
        return tuple(value for value in self.account.secrets.values() if value)

    def get(self, service: str, region: str) -> Any:
        """A client of botocore. Raises ProviderErrors for credentials and regions that cannot be used."""
        region = DEFAULT_REGION if service in GLOBAL else region
        key = (service, region)
        if (found := self._made.get(key)) is not None:
            return found
        with self._lock:
            if key not in self._made:
                try:
                    self._made[key] = self._new(service, region)
                except ImportError:
                    raise ProviderError(
                        "the provider aws needs boto3, which is not installed",
                        hint="Install it with: pip install 'stratumops[aws]'",
                    ) from None
                except ProviderError:
                    raise
                except Exception as error:  # noqa: BLE001 - botocore's errors have no common base; all are translated
                    raise translated(error, service, region, self.hidden) from None
            return self._made[key]

    def close(self) -> None:
        """Close the connections. The clients can be used again, which opens new ones."""
        for client in list(self._made.values()):
            client.close()

    def _new(self, service: str, region: str) -> Any:
        import boto3  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; heavy, and only with the extra `aws`
        from botocore.config import Config  # type: ignore[import-untyped] # noqa: PLC0415 - as above
        from botocore.session import get_session  # type: ignore[import-untyped] # noqa: PLC0415 - as above

        account = self.account
        if self._session is None:
            core = get_session()
            core.register_component("data_loader", _models())
            self._session = boto3.Session(botocore_session=core, **self._credentials())
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=_CONNECT_LIMIT,
            read_timeout=_READ_LIMIT,
            max_pool_connections=32,
            user_agent_extra="stratumops",
            # An endpoint of one's own is seldom reached by names of buckets.
            s3={"addressing_style": "path"} if account.endpoint else None,
        )
        return self._session.client(service, region_name=region, endpoint_url=account.endpoint or None, config=config)

    def _credentials(self) -> dict[str, Any]:
        secrets, options = self.account.secrets, self.account.options
        if secrets.get("access_key_id") and secrets.get("secret_access_key"):
            return {
                "aws_access_key_id": secrets["access_key_id"],
                "aws_secret_access_key": secrets["secret_access_key"],
                "aws_session_token": secrets.get("session_token") or None,
            }
        if options.get("profile"):
            return {"profile_name": options["profile"]}
        if options.get("credentials") == "environment":
            return {}
        raise ProviderAccountError(
            "AWS: the account has no access key, names no profile and is not set to use the environment",
            hint="Give access_key_id and secret_access_key with `prov provider add aws`, a profile, or credentials=environment.",
        )


class Aws:
    """One region of an account, as the modules of the services use it."""

    def __init__(self, clients: Clients, region: str) -> None:
        self.clients = clients
        self.region = region

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Ask once (`ec2`, `describe_vpcs`). Raises ProviderErrors; GoneError where it does not exist."""
        client = self.clients.get(service, self.region)
        try:
            answer: dict[str, Any] = getattr(client, operation)(**arguments)
        except Exception as error:  # noqa: BLE001 - botocore's errors have no common base; all are translated
            raise translated(error, api_name(operation), self.region, self._hidden(arguments)) from None
        return answer

    def _hidden(self, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        passwords = [str(value) for name, value in arguments.items() if "Password" in name and isinstance(value, str)]
        return (*self.clients.hidden, *passwords)

    def change(self, calls: Calls, service: str, operation: str, *, part: str = "", **arguments: Any) -> dict[str, Any]:
        """Ask for a change: its intent is written down before, its result after."""
        return calls.run(api_name(operation), lambda: self.call(service, operation, **arguments), part=part)

    def remove(self, calls: Calls, service: str, operation: str, *, part: str = "", **arguments: Any) -> None:
        """Ask for a deletion; what is gone already is fine."""

        def ask() -> None:
            try:
                self.call(service, operation, **arguments)
            except GoneError:
                return

        calls.run(api_name(operation), ask, part=part)

    def look(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """Ask for what may not exist: nothing then."""
        try:
            return self.call(service, operation, **arguments)
        except GoneError:
            return {}

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        """Everything that a listing has under `key`, all pages of it."""
        client = self.clients.get(service, self.region)
        if not client.can_paginate(operation):
            return list(self.call(service, operation, **arguments).get(key, []))
        found: list[Any] = []
        try:
            for page in client.get_paginator(operation).paginate(**arguments):
                found += page.get(key, [])
        except Exception as error:  # noqa: BLE001 - as in `call`
            problem = translated(error, api_name(operation), self.region, self.clients.hidden)
            if isinstance(problem, GoneError):
                return []
            raise problem from None
        return found

    def described(self, operation: str, key: str, name: str, ids: Iterable[str], *, filters: str = "Filters") -> list[Any]:
        """What EC2 tells about some ids, by the filter `name` (an unknown id is left out), in as few requests as it allows."""
        found: list[Any] = []
        for chunk in chunks(sorted(set(ids)), CHUNK):
            found += self.pages("ec2", operation, key, **{filters: [{"Name": name, "Values": chunk}]})
        return found

    def wait(self, calls: Calls, until: str, probe: Callable[[], bool], limit: float) -> None:
        """Ask again and again until `probe` holds. `until` is told to people: "the database is available".

        Raises ProviderBusyError after `limit` seconds, or when a person cancelled: another attempt goes on waiting.
        """
        waited, step = 0.0, _SHORT_WAIT
        while not probe():
            if calls.is_cancelled():
                raise ProviderBusyError(f"AWS: cancelled while waiting until {until}")
            if waited >= limit:
                raise ProviderBusyError(f"AWS: waited {round(waited)} s until {until}, and it is not so yet")
            calls.report(f"waiting until {until}, {round(waited)} s")
            self.clients.pause(step)
            waited += step
            step = min(step * 1.5, _LONG_WAIT)


def api_name(operation: str) -> str:
    """The API's name of a method of botocore: `create_vpc` is CreateVpc."""
    return "".join(word.capitalize() for word in operation.split("_"))


def chunks(values: Sequence[str], size: int) -> Iterable[list[str]]:
    """The values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield list(values[start : start + size])


def token_of(step: str, part: str = "") -> str:
    """An idempotency key in the form that all services take (64 letters and digits)."""
    return hashlib.sha256(f"{step}/{part}".encode()).hexdigest()
