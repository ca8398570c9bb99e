"""The one small interface of a provider, and the journal that every call to one goes through.

A provider is synchronous and holds no state of ours: the engine runs it in threads. All of its methods may run several times for
the same thing (steps run at least once), so `create` completes what an earlier attempt began, and `delete` of what is gone
succeeds. Errors are those of `provisioning.errors`: ProviderBusyError and ProviderSilentError are tried again, others not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from provisioning.resource import Found, Recorded, Wanted

T = TypeVar("T")


class Calls(Protocol):
    """The journal of one step: an intent is written down before each call that changes something, its result after it.

    Raises LeaseLostError when another process has taken over: then nothing is called any more.
    """

    def run(self, call: str, function: Callable[[], T], *, part: str = "", note: Mapping[str, Any] | None = None) -> T:
        """Do one call of the provider's API (`CreateVpc`) between its intent and its result. `part` is the part that it makes."""
        ...

    def report(self, words: str) -> None:
        """Tell a person what is waited for ("waiting until the database is available, 40 s")."""
        ...

    def is_cancelled(self) -> bool:
        """Whether a person cancelled: a long wait had better end (raise ProviderBusyError), a call under way is finished."""
        ...


class NoCalls:
    """Calls of somebody who keeps no journal: tests of a provider alone, and reads."""

    def run(self, call: str, function: Callable[[], T], *, part: str = "", note: Mapping[str, Any] | None = None) -> T:  # noqa: ARG002 - the protocol's
        """Just do it."""
        return function()

    def report(self, words: str) -> None:
        """Nobody listens."""

    def is_cancelled(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `prov provider test`. `hint` says what to do where it is not ok; a warning does not fail the test."""

    name: str
    verdict: Literal["ok", "warning", "failed"]
    said: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What an account can use right now: names by the words of the configuration."""

    regions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """How a provider is reached: what `prov provider add` keeps. `secrets` are resolved for this process only."""

    name: str
    provider: str
    region: str = ""
    endpoint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Provider(Protocol):
    """One account at one provider. `version` goes into a plan's hash: another one may act differently."""

    name: ClassVar[str]
    version: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    """The kinds of things that it makes; the plan lists others as left out."""

    def test(self) -> Sequence[Check]:
        """What is missing before it can work, each with how to get it. Raises nothing."""
        ...

    def catalogue(self, region: str = "") -> Catalogue:
        """What can be used. Raises ProviderErrors."""
        ...

    def read(self, one: Recorded) -> Found | None:
        """A recorded resource as it is now, None when it is gone. Raises ProviderErrors."""
        ...

    def read_all(self, ones: Sequence[Recorded]) -> Mapping[str, Found | None]:
        """Many at once by address, with as few requests as the API allows. Raises ProviderErrors."""
        ...

    def find_by_tag(self, tags: Mapping[str, str], region: str = "", kinds: frozenset[str] | None = None) -> Sequence[Found]:
        """Resources that carry all of these tags; with none, everything of the account that it could manage."""
        ...

    def create(self, wanted: Wanted, calls: Calls) -> Found:
        """Make it, or complete what an earlier attempt began; return when it can be used. Raises ProviderErrors."""
        ...

    def update(self, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> Found:
        """Bring the differing leaves (`paths`, as in `Found.values`) to the wanted values, in place. Raises ProviderErrors."""
        ...

    def delete(self, one: Recorded, calls: Calls) -> None:
        """Remove it with its parts; return when it is gone. What is gone already is no error. Raises ProviderErrors."""
        ...

    def back_up(self, one: Recorded, label: str, calls: Calls) -> str:
        """Save its data (snapshot) before it is in danger; answers the backup's id. Raises ProviderError where it cannot."""
        ...
