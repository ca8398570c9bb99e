"""Secrets in what is stored: a leaf that is secret is sealed one by one; a handle stays a handle.

`{"$sealed": "vault:v1:..."}` stands where the text was. The vault's transit engine does the work, bound to where the leaf stands,
so that a sealed text moved elsewhere does not open.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from prov_judge.changes.masking import HIDDEN, shown
from stratumops.handles import is_handle

SEALED = "$sealed"


class Secrets(Protocol):
    """The workspace's vault, as far as the engine needs it."""

    async def resolve(self, handle: str) -> str:
        """The value that a handle names; hidden from every output from now on. Raises StratumErrors."""
        ...

    async def seal(self, text: str, context: str) -> str:
        """The text encrypted by transit, bound to `context`. Raises UnavailableError (no vault, sealed), saying what to do."""
        ...

    async def unseal(self, sealed: str, context: str) -> str:
        """The other direction; the text is hidden from every output from now on."""
        ...


Change = Callable[[str, str], Awaitable[Any]]


async def seal_values(values: Mapping[str, Any], secrets: Secrets, context: str) -> dict[str, Any]:
    """JSON values with every secret leaf sealed; those that are sealed already and handles stay. `context` names the record."""

    async def change(path: str, text: str) -> Any:
        return {SEALED: await secrets.seal(text, f"{context}#{path}")}

    return await _walked(values, "", change)  # type: ignore[no-any-return] # a mapping gives a dict


async def unseal_values(values: Mapping[str, Any], secrets: Secrets, context: str) -> dict[str, Any]:
    """The other direction."""
    return await _with_sealed(values, lambda sealed, path: secrets.unseal(sealed, f"{context}#{path}"))


async def reseal_values(values: Mapping[str, Any], secrets: Secrets, old: str, new: str) -> dict[str, Any]:
    """What is sealed in one context, sealed in another; nothing else changes."""

    async def again(sealed: str, path: str) -> Any:
        return {SEALED: await secrets.seal(await secrets.unseal(sealed, f"{old}#{path}"), f"{new}#{path}")}

    return await _with_sealed(values, again)


async def _with_sealed(values: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The values with `change(sealed, path)` in the place of every sealed leaf."""

    async def opened(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {SEALED}:
                return await change(value[SEALED], path)
            return {key: await opened(inner, f"{path}.{key}" if path else key) for key, inner in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [await opened(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        return value

    return await opened(values, "")  # type: ignore[no-any-return] # as above


def has_sealed(value: Any) -> bool:
    """Whether anything in a JSON value is sealed."""
    if isinstance(value, Mapping):
        return set(value) == {SEALED} or any(has_sealed(inner) for inner in value.values())
    return isinstance(value, Sequence) and not isinstance(value, str) and any(has_sealed(inner) for inner in value)


def handles_in(value: Any) -> set[str]:
    """Every handle in a JSON value."""
    if isinstance(value, str):
        return {value} if is_handle(value) else set()
    if isinstance(value, Mapping):
        return set().union(*(handles_in(inner) for inner in value.values()))
    if isinstance(value, Sequence):
        return set().union(*(handles_in(inner) for inner in value))
    return set()


async def _walked(value: Any, path: str, change: Change) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {SEALED}:
            return dict(value)
        return {key: await _walked(inner, f"{path}.{key}" if path else key, change) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [await _walked(inner, f"{path}[{index}]", change) for index, inner in enumerate(value)]
    if isinstance(value, str) and not is_handle(value) and shown(_bare(path), value) == HIDDEN:
        return await change(path, value)
    return value


def _bare(path: str) -> str:
    """The path without the places in lists, as the masking reads it."""
    return "".join(part.partition("]")[2] if index else part for index, part in enumerate(path.split("[")))
