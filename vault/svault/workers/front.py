"""A worker's side of the vault: what it knows of the active process's changes, and its answers to requests."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from time import perf_counter
from typing import Any

from svault.barrier.barrier import Barrier
from svault.core.call import Answer, Call
from svault.errors import InternalError, StandbyError, VaultError
from svault.http.origin import HEADER
from svault.logical.clock import SystemClock
from svault.storage.base import Entry, Write
from svault.tally import Tally
from svault.workers.channel import Channel, Message
from svault.workers.epoch import Epoch
from svault.workers.facts import Facts, heard
from svault.workers.replica import ElsewhereError, Lines, Replica

_log = logging.getLogger(__name__)
MAX_TOKENS = 10_000
_COUNT_SECONDS = 0.05


class _RemoteStorage:
    """The active process's storage, read-only."""

    def __init__(self, front: "Front") -> None:
        self._front = front

    async def open(self) -> None:
        """Nothing to open."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def get(self, key: str) -> Entry | None:
        """See Storage."""
        found = await self._front.ask("get", key)
        return None if found is None else Entry(*found)

    async def list(self, prefix: str) -> list[str]:
        """See Storage."""
        names: list[str] = await self._front.ask("list", prefix)
        return names

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """See Storage."""
        raise ElsewhereError("a commit")


class Front:
    """Answers what it can from what it holds; `local` is None for everything else."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch = epoch
        self._applied = 0
        self._clock = SystemClock()
        self.channel: Channel | None = None
        self._barrier = Barrier(_RemoteStorage(self), self._clock)
        self._replica: Replica | None = None
        self._tokens: dict[str, Facts] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._behind: list[tuple[int, asyncio.Future[None]]] = []
        # Changes under way, by number: their keys, whether tokens are among them, whether anything else is.
        self._open: dict[int, tuple[list[str], bool, bool]] = {}
        self._generation = self._token_generation = 0
        self._refreshing = asyncio.Lock()
        self._tally = Tally()
        self._is_counting = False

    async def ask(self, *message: Any) -> Any:
        """Ask the active process. Raises ElsewhereError when it cannot answer."""
        assert self.channel is not None
        self._last += 1
        answer = self._asked[self._last] = asyncio.get_running_loop().create_future()
        self.channel.send(message[0], self._last, *message[1:])
        return await answer

    def heard(self, message: Message) -> None:
        """A message of the active process."""
        match message:
            case ("re", number, value):
                self._settle(number, value, None)
            case ("refused", number):
                self._settle(number, None, ElsewhereError("refused"))
            case ("begun", epoch, change, keys, has_tokens, has_others):
                self._begin(change, keys, has_tokens, has_others)
                self._reach(epoch)
            case ("ended", epoch, change):
                self._end(change)
                self._reach(epoch)
            case ("reached", epoch):
                self._reach(epoch)
            case ("forget", epoch):
                self._forget()
                self._reach(epoch)

    def _settle(self, number: int, value: Any, error: Exception | None) -> None:
        asked = self._asked.pop(number, None)
        if asked is None or asked.done():
            return
        if error is None:
            asked.set_result(value)
        else:
            asked.set_exception(error)

    def _begin(self, change: int, keys: list[str], has_tokens: bool, has_others: bool) -> None:
        self._barrier.begin_change(keys)
        has_others = has_others or not self._taken(keys)
        self._open[change] = keys, has_tokens, has_others
        self._drop(has_tokens=has_tokens, has_others=has_others)

    def _end(self, change: int) -> None:
        keys, has_tokens, has_others = self._open.pop(change, ([], True, True))
        self._barrier.end_change(dict.fromkeys(keys), is_done=False)
        self._drop(has_tokens=has_tokens, has_others=has_others or not self._taken(keys))

    def _taken(self, keys: Iterable[str]) -> bool:
        """Whether the replica can live on, after what it derived from changed entries is forgotten."""
        replica = self._replica
        if replica is None:
            return True
        taken = [replica.takes_change(key) for key in keys if key.startswith("logical/")]
        return all(taken)

    def _drop(self, *, has_tokens: bool, has_others: bool) -> None:
        if has_tokens or has_others:
            self._token_generation += 1
            self._tokens = {}
        if has_others:
            self._generation += 1
            self._replica = None

    def _forget(self) -> None:
        self._drop(has_tokens=True, has_others=True)
        self._barrier.seal()

    def _reach(self, epoch: int) -> None:
        epoch = self._applied = max(epoch, self._applied)
        if self._behind:
            waiting, self._behind = self._behind, []
            for wanted, future in waiting:
                if wanted > epoch:
                    self._behind.append((wanted, future))
                elif not future.done():
                    future.set_result(None)

    async def _catch_up(self) -> None:
        """Wait until everything has arrived that was changed before this moment."""
        wanted = self._epoch.value
        if wanted > self._applied:
            future = asyncio.get_running_loop().create_future()
            self._behind.append((wanted, future))
            await future

    async def local(self, call: Call) -> Answer | None:
        """The answer to a call that changes nothing and is allowed; None: the active process decides, whatever the reason."""
        if call.wrap_ttl or HEADER in call.headers:
            return None
        started = perf_counter()
        if self._epoch.value != self._applied:
            # To hand a request on is right whatever has changed, and a write need not wait for the message of another.
            if self._replica is not None and self._replica.request(call) is None:
                return None
            await self._catch_up()
        if self._clock.monotonic() >= self._epoch.valid_until:
            return None
        try:
            replica = self._replica or await self._refreshed()
            asked = replica.request(call) if replica is not None else None
            facts = await self._facts(call.token) if asked is not None else None
            if replica is None or asked is None or facts is None:
                return None
            made = await replica.answer(call, *asked, facts)
            if made is None:
                return None
            answer, lines = made
            accepted = await self.ask("audit", replica.generation, lines) if lines else True
        except VaultError:
            return None
        except Exception:  # noqa: BLE001 - the active process does it again, and says what is wrong
            _log.debug("a worker could not answer", exc_info=True)
            return None
        if accepted is None:
            return None
        if not accepted:
            answer = Answer.of(InternalError())
        self._count(call.operation or "unknown", asked[1].entry.kind, answer.status, perf_counter() - started)
        return answer

    async def _refreshed(self) -> Replica | None:
        async with self._refreshing:
            if self._replica is not None:
                return self._replica
            if any(has_others for _, _, has_others in self._open.values()):
                return None
            generation = self._generation
            told = await self.ask("snapshot")
            if told is None or generation != self._generation:
                return None
            self._barrier.use_terms(told["terms"])
            replica = Replica(self._barrier, self._clock, told)
            await replica.start()
            if generation != self._generation:
                return None
            self._replica = replica
            return replica

    async def _facts(self, text: str) -> Facts | None:
        facts = self._tokens.get(text)
        if facts is None:
            generation = self._token_generation
            told = await self.ask("token", text)
            if told is None:
                return None
            facts = heard(told)
            is_settled = not any(tokens or others for _, tokens, others in self._open.values())
            if generation == self._token_generation and is_settled:
                if len(self._tokens) >= MAX_TOKENS:
                    self._tokens.clear()
                self._tokens[text] = facts
        return None if facts.deadline and self._clock.monotonic() >= facts.deadline else facts

    def _count(self, operation: str, kind: str, status: int, seconds: float) -> None:
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_later(_COUNT_SECONDS, self._tell_counts)
        self._tally.observe(operation, kind, status, seconds)

    def _tell_counts(self) -> None:
        self._is_counting = False
        if self.channel is not None:
            self.channel.send("counted", self._tally.taken())

    async def forward(self, scope: MutableMapping[str, Any], body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """The active process's answer: status, headers and body. Raises StandbyError."""
        extensions = scope.get("extensions") or {}
        parts = (
            scope["method"],
            scope["path"],
            scope["query_string"],
            [tuple(header) for header in scope["headers"]],
            tuple(scope.get("client") or ("", 0)),
            extensions.get("tls"),
        )
        try:
            status, headers, answered = await self.ask("call", parts, body)
        except ElsewhereError:
            raise StandbyError("the active process could not answer", hint="try again") from None
        return status, headers, answered


__all__ = ["Front", "Lines"]
