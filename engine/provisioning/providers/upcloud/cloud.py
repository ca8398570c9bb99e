"""What all makers of a kind share: the connection, the account, how long to wait, and the look-up by labels."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from prov_judge.changes.leaves import leaves
from provisioning.errors import ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import Account, Calls
from provisioning.providers.upcloud.api import Api, GoneError
from provisioning.providers.upcloud.labels import carries, query, tags_of, user_values
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Found, Recorded, Status, Wanted

Row = Mapping[str, Any]
"""An object as the API answers it."""

MANY = ("tags.", "rules[", "listeners[", "backup.")
"""Beginnings of paths that are told even where nothing is wanted there: what is too much is drift."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a wait looks, and after how many seconds it gives up for now. A server takes about 27 s, a balancer minutes."""

    poll_seconds: float = 3.0
    limit_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """One account in use."""

    api: Api
    account: Account
    pace: Pace

    def wait(self, what: str, look: Callable[[], str], done: Callable[[str], bool], calls: Calls) -> None:
        """Look until a state is reached. Raises ProviderBusyError when that takes too long or a person cancels."""
        began = time.monotonic()
        while not done(state := look()):
            waited = time.monotonic() - began
            if calls.is_cancelled():
                raise ProviderBusyError(f"cancelled while waiting for {what}, which is '{state}'")
            if waited >= self.pace.limit_seconds:
                raise ProviderBusyError(
                    f"{what} is still '{state}' after {waited:.0f} s", hint="it is looked at again; see hub.upcloud.com"
                )
            calls.report(f"waiting for {what}, now '{state}', {waited:.0f} s")
            time.sleep(self.pace.poll_seconds)

    def listed(self, path: str, keys: tuple[str, str], tags: Mapping[str, str]) -> list[Row]:
        """The objects of a list that carry all these tags."""
        answer = self.api.get(path, query(tags))
        return [row for row in answer[keys[0]][keys[1]] if carries(row, tags)]

    def got(self, path: str, key: str) -> Row | None:
        """One object, None when it is gone."""
        try:
            answer = self.api.get(path)
        except GoneError:
            return None
        found = answer[key] if key else answer
        if not isinstance(found, Mapping):
            # Nothing is taken for gone but what UpCloud says is not there.
            raise ProviderSilentError(f"UpCloud's answer has nothing in it (GET {path})", hint="it is looked up again")
        return found


class Maker(ABC):
    """Makes, reads and removes the things of one kind."""

    kind: ClassVar[str]

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.api = cloud.api

    @abstractmethod
    def rows(self, tags: Mapping[str, str]) -> list[Row]:
        """The main objects of its things that carry these tags, all that could be managed with none."""

    @abstractmethod
    def get(self, uuid: str) -> Row | None:
        """One main object in full, None when it is gone."""

    @abstractmethod
    def found(self, row: Row, known: Mapping[str, Any]) -> Found:
        """What an object in full is. `known` are the values that it shall have, empty when nobody knows."""

    @abstractmethod
    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """As `Provider.create`."""

    @abstractmethod
    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """As `Provider.update`."""

    @abstractmethod
    def delete(self, one: Recorded, calls: Calls) -> None:
        """As `Provider.delete`."""

    def own(self, wanted: Wanted) -> Row | None:
        """What an earlier attempt made, in full."""
        rows = self.rows({tag: wanted.tags[tag] for tag in (TAG_ADDRESS, TAG_LINEAGE)})
        # Every attempt takes the same one, should there ever be two.
        oldest = min(rows, key=lambda row: (str(row.get("created", row.get("created_at", ""))), row["uuid"]), default=None)
        return self.get(oldest["uuid"]) if oldest else None

    def there(self, one: Recorded) -> Row:
        """A recorded thing's object. Raises ProviderError when it is gone."""
        row = self.get(one.id)
        if row is None:
            raise ProviderError(
                f"{one.address} is gone at UpCloud", hint="`prov state refresh`, then plan again: it is made anew"
            )
        return row

    def make_found(
        self,
        row: Row,
        known: Mapping[str, Any],
        status: Status,
        values: Mapping[str, Any],
        *,
        outputs: Mapping[str, Any] | None = None,
        parts: Mapping[str, str] | None = None,
        secret_outputs: Mapping[str, str] | None = None,
    ) -> Found:
        """A `Found` with its tags, and only the paths that can be compared."""
        tags = tags_of(row, known.get("tags") or {})
        every = {**values}
        if "tags" in known or not known:
            every |= user_values(tags, known.get("tags") or {})
        wanted = leaves(known)
        told = {path: value for path, value in every.items() if not known or path in wanted or path.startswith(MANY)}
        return Found(
            self.kind, row["uuid"], status, tags.get(TAG_ADDRESS, ""), told,
            {name: value for name, value in (outputs or {}).items() if value}, parts or {}, tags, secret_outputs or {},
        )  # fmt: skip


def zone_of(wanted: Wanted, account: Account) -> str:
    """Where a thing shall be: UpCloud's regions are its zones. Raises ProviderError."""
    zone = wanted.values.get("zone") or wanted.region or account.region
    if not zone:
        raise ProviderError(f"{wanted.address} has no region", hint="name one of `prov provider catalogue upcloud`")
    return str(zone)


def is_part(row: Row) -> bool:
    """Whether an object is a part of another thing."""
    return TAG_PART in tags_of(row, {})
