"""The wholes of answers, kept so that a client can read them as resources (`prov://report/...`) after a short answer.

In memory, of this process, and only for the principal who asked: a report holds a configuration's content.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from threading import Lock

from stratumops.errors import NotFoundError
from stratumops.principal import Principal

MOST = 32
"""Reports of one principal; the oldest goes first."""

MEDIA_TYPES = {".json": "application/json", ".md": "text/markdown", ".svg": "image/svg+xml"}
URI = "prov://report/"


@dataclass
class ReportStore:
    """The reports of all principals."""

    _kept: dict[str, "OrderedDict[str, Callable[[], str]]"] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, principal: Principal, name: str, make: Callable[[], str]) -> str:
        """Keep a report under a new address."""
        path = f"{secrets.token_hex(6)}/{name}"
        with self._lock:
            kept = self._kept.setdefault(principal.subject, OrderedDict())
            kept[path] = make
            while len(kept) > MOST:
                kept.popitem(last=False)
        return f"{URI}{path}"

    def read(self, principal: Principal, path: str) -> str:
        """The text of a report. Raises NotFoundError."""
        with self._lock:
            make = self._kept.get(principal.subject, OrderedDict()).get(path)
        if make is None:
            raise NotFoundError(
                f"there is no report {path[:80]!r} any more", hint="call the tool again; its answer names the new one"
            )
        return make()


def media_type(name: str) -> str:
    """The media type that a report's name says."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix, "text/plain")


@dataclass(frozen=True, slots=True)
class PrincipalReports:
    """The store as one principal's calls see it."""

    store: ReportStore
    principal: Principal

    def keep(self, name: str, make: Callable[[], str]) -> str:
        """As `prov_tools.context.Reports`."""
        return self.store.keep(self.principal, name, make)
