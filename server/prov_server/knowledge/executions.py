"""Every apply, rollback and workflow leaves a node in the graph: what was done, how it ended, and why when it failed."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

from stratumops.errors import StratumError

if TYPE_CHECKING:
    from kogral.knowledge import Knowledge
    from prov_server.knowledge.access import KnowledgeAccess
    from provisioning.state.model import Operation
    from provisioning.state.store import StateStore

_log = logging.getLogger(__name__)
_BACK_SECONDS = 86_400.0
"""So far back is looked for operations without a node: a process may have died between an end and its node."""
_MOST_STEPS = 40


class Executions:
    """Writes the nodes. `clean` takes secrets out of what is written."""

    def __init__(self, access: "KnowledgeAccess", clean: Callable[[str], str], *, is_sandbox: bool) -> None:
        self._access = access
        self._clean = clean
        self._is_sandbox = is_sandbox
        self._lock = Lock()

    def record(self, store: "StateStore") -> None:
        """Write a node for each operation that has ended and has none. A graph that cannot be written only makes a log line."""
        if not self._access.records_executions:
            return
        try:
            with self._lock:
                self._record(store)
        except (StratumError, OSError) as error:
            _log.warning("execution_not_recorded: %s", error)

    def _record(self, store: "StateStore") -> None:
        graph = self._access.graph()
        known = {one.metadata.get("operation", ""): one.id for one in graph.list(types=["execution"])}
        since = time.time() - _BACK_SECONDS
        missing = [one for one in store.operations() if one.is_final and one.ended_at >= since and one.id not in known]
        for operation in sorted(missing, key=lambda one: one.ended_at):
            parent = known.get(operation.parent, "")
            known[operation.id] = self._write(graph, store, operation, parent)

    def _write(self, graph: "Knowledge", store: "StateStore", operation: "Operation", parent: str) -> str:
        steps = store.steps(operation.id)
        counted = Counter(one.status for one in steps)
        lines = [f"- {one.action} {one.address}: {one.status}" + (f" ({one.error})" if one.error else "") for one in steps]
        if len(lines) > _MOST_STEPS:
            lines = [*lines[:_MOST_STEPS], f"- ... and {len(lines) - _MOST_STEPS} more"]
        where = " in the sandbox" if self._is_sandbox else ""
        context = f"Begun by {operation.by}{where}: {operation.plan_id}, operation {operation.id}."
        done = ", ".join(f"{number} {status}" for status, number in sorted(counted.items())) or "no step was begun"
        worked = operation.status == "succeeded"
        node = graph.add_execution(
            self._clean(f"{operation.title}: {operation.status.replace('_', ' ')}"),
            context=self._clean("\n".join([context, "", *lines])),
            root_cause="" if worked else self._clean(operation.error),
            resolution=f"{operation.status.replace('_', ' ')}: {done}",
            started=_moment(operation.started_at or operation.made_at),
            resolved=_moment(operation.ended_at),
            tags=[
                operation.kind,
                operation.status,
                *(["sandbox"] if self._is_sandbox else []),
                *([] if worked else ["incident"]),
            ],
            related=[parent] if parent else [],
            metadata={"operation": operation.id, "plan": operation.plan_id, "status": operation.status, "kind": operation.kind},
            author=operation.by,
        )
        return node.id


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
