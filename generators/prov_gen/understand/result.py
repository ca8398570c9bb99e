"""What understanding a description answers with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prov_gen.findings import Finding

if TYPE_CHECKING:
    from prov_gen.model.infrastructure import InfrastructureConfig

Language = Literal["en", "es"]
ResourceType = Literal["server", "network", "cluster", "database"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A phrase of the description and what it became. `start` and `end` are offsets into the description, in characters."""

    phrase: str
    path: str
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that nobody stated, and a sentence that says why it was chosen."""

    path: str
    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A phrase that has no place in the configuration, and why. Offsets as in `Fact`."""

    phrase: str
    reason: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Understanding:
    """A configuration made of words: what was said, what was assumed, what is left over, and what contradicts itself.

    `understood` and `unplaced` follow the order of the description.
    """

    config: "InfrastructureConfig"
    understood: list[Fact]
    assumed: list[Assumption]
    unplaced: list[Unplaced]
    findings: list[Finding]
    language: Language
