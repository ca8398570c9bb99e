"""The policies of a vault, kept under `sys/policy/`, and the compiled Acl of each combination of names and entity.

The fields and refusals are those of OpenBao's `sys/policies/acl`.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib import resources

from svault.barrier.view import View
from svault.errors import BadRequestError, PermissionDeniedError
from svault.logical import Clock
from svault.policy.acl import Acl
from svault.policy.model import Policy
from svault.policy.parse import parse_policy
from svault.policy.recent import Recent
from svault.policy.templates import TemplateValues, rendered

MAX_COMPILED = 1024
"""How many compiled Acls are kept."""

_BUILT_IN = ("default", "response-wrapping")
_UNCHANGEABLE = ("root", "response-wrapping")


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it was written. Times are seconds since the epoch; `expires` 0 is never."""

    name: str
    policy: str
    version: int = 0
    modified: float = 0
    cas_required: bool = False
    expires: float = 0


@dataclass(frozen=True, slots=True)
class _Compiled:
    acl: Acl
    expires: float


class PolicyStore:
    """Policies by name (lower case). One a vault; the active server alone writes. All methods may raise StorageError."""

    def __init__(self, view: View, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self._parsed: dict[str, tuple[Policy, float] | None] = {}
        self._compiled: Recent[tuple[object, ...], _Compiled] = Recent(MAX_COMPILED)
        self._generation = 0

    async def start(self) -> None:
        """Write the policies that every vault has, where they are missing: call it after unsealing, on the active server."""
        for name in _BUILT_IN:
            if await self._view.get(name) is None:
                text = resources.files("svault.policy").joinpath(f"{name}.hcl").read_text(encoding="utf-8")
                await self._write(StoredPolicy(name, text, 1, self._clock.time()))

    async def get(self, name: str) -> StoredPolicy | None:
        """A policy as it was written, or None. `root` is there without a text."""
        name = name.lower()
        if name == "root":
            return StoredPolicy("root", "")
        raw = await self._view.read(name) if _is_name(name) else None
        if raw is None or 0 < raw["expires"] <= self._clock.time():
            return None
        return StoredPolicy(name=name, **raw)

    async def put(
        self, name: str, text: str, *, cas: int | None = None, cas_required: bool | None = None, expires: float = 0
    ) -> StoredPolicy:
        """Write a policy in HCL or JSON, also in base64. `cas` is the version it replaces (-1: it must not be there).

        Raises BadRequestError (cannot be parsed, not this version, a policy that cannot be changed).
        """
        name = _checked(name)
        if name in _UNCHANGEABLE:
            raise BadRequestError(f'cannot update "{name}" policy')
        if not text:
            raise BadRequestError("'policy' parameter not supplied or empty")
        text = _decoded(text)
        parse_policy(name, text)
        async with self._view.lock(name):
            before = await self.get(name)
            version = before.version if before else 0
            is_required = before.cas_required if before and cas_required is None else bool(cas_required)
            if cas is None and is_required:
                raise BadRequestError("check-and-set parameter required for this call")
            if cas is not None and cas != (version or -1) and not (cas == 0 and version == 0):
                raise BadRequestError(f"check-and-set parameter {cas} did not match the current version {version}")
            written = StoredPolicy(name, text, version + 1, self._clock.time(), is_required, expires)
            await self._write(written)
        return written

    async def delete(self, name: str) -> None:
        """Remove a policy; one that is not there is no error. Raises BadRequestError for those that every vault has."""
        name = _checked(name)
        if name == "default":
            raise BadRequestError("cannot delete default policy")
        if name in _UNCHANGEABLE:
            raise BadRequestError(f'cannot delete "{name}" policy')
        async with self._view.lock(name):
            await self._view.delete(name)
            self._forget()

    async def names(self) -> list[str]:
        """The names, sorted, `root` last. The policy of wrapped responses is not shown."""
        return [*sorted([name async for name in self._view.walk() if name != "response-wrapping"]), "root"]

    def _forget(self) -> None:
        self._generation += 1
        self._parsed.clear()
        self._compiled.clear()

    async def acl_for(self, names: Iterable[str], values: TemplateValues | None = None) -> Acl:
        """The compiled Acl of a token's policies; names without a policy allow nothing. `values` are those of its entity, if any.

        Raises PermissionDeniedError when the entity's values must not be filled into one of its templates.
        """
        named = tuple(dict.fromkeys(names))
        key = (named, None) if values is None else (named, values.entity_id, values.revision)
        known = self._compiled.get(key)
        if known is not None and not 0 < known.expires <= self._clock.time():
            return known.acl
        generation = self._generation
        compiled = await self._compile(named, values)
        if generation == self._generation:
            self._compiled.keep(key, compiled)
        return compiled.acl

    async def _compile(self, names: tuple[str, ...], values: TemplateValues | None) -> _Compiled:
        if names == ("root",):
            return _Compiled(Acl([Policy("root", ())]), 0)
        policies: list[Policy] = []
        ends: list[float] = []
        now = self._clock.time()
        for name in names:
            found = await self._policy(name)
            if found is None or 0 < found[1] <= now:
                continue
            policy, expires = found
            ends += [end for end in (expires, *(rule.expires for rule in policy.rules)) if end > now]
            live = tuple(rule for rule in policy.rules if not 0 < rule.expires <= now)
            policies.append(_filled(replace(policy, rules=live), values))
        return _Compiled(Acl(policies), min(ends, default=0))

    async def _policy(self, name: str) -> tuple[Policy, float] | None:
        if name not in self._parsed:
            generation = self._generation
            stored = None if name == "root" else await self.get(name)
            parsed = None if stored is None else (parse_policy(name, stored.policy), stored.expires)
            if generation != self._generation or parsed is None:
                return parsed
            self._parsed[name] = parsed
        return self._parsed[name]

    async def _write(self, policy: StoredPolicy) -> None:
        await self._view.write(policy.name, {key: value for key, value in asdict(policy).items() if key != "name"})
        self._forget()


def _filled(policy: Policy, values: TemplateValues | None) -> Policy:
    if not policy.is_templated:
        return policy
    try:
        paths = [(rule, rendered(rule.path, values)) for rule in policy.rules]
    except ValueError as error:
        raise PermissionDeniedError(f'error parsing templated policy "{policy.name}": {error}') from None
    return replace(
        policy, rules=tuple(rule if rule.path == path else replace(rule, path=path) for rule, path in paths if path is not None)
    )


def _is_name(name: str) -> bool:
    parts = name.split("/")
    return len(name.encode("utf-8", "replace")) <= 512 and name.isprintable() and not {"", ".", ".."} & set(parts)


def _checked(name: str) -> str:
    if not _is_name(name):
        raise BadRequestError("a policy's name is printable text of at most 512 bytes, without empty, '.' or '..' parts")
    return name.lower()


def _decoded(text: str) -> str:
    """A policy may be sent in base64: then it decodes strictly."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
