"""Operations, their steps, and the journal of calls to providers."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from provisioning.resource import Recorded
from provisioning.state.model import FINAL, Head, Intent, Operation, OperationStatus, StepRun
from provisioning.state.records import canonical, from_whole, row_of, whole
from provisioning.state.resources import told
from provisioning.state.rows import Rows, clean, new_id
from provisioning.state.serials import record
from provisioning.state.store import Write
from provisioning.state.tables import INTENTS, OPERATIONS, STEPS
from provisioning.state.transaction import Writing
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError


class Operations(Rows):
    """The methods of the store for operations and steps."""

    def add_operation(self, operation: Operation) -> None:
        values = {name: getattr(operation, name) for name in _OPERATION}
        values |= {"title": clean(operation.title), "error": clean(operation.error), "options": canonical(operation.options)}
        with self.database.write() as tx:
            known = select(OPERATIONS.c.id).where(OPERATIONS.c.state_id == tx.state_id, OPERATIONS.c.id == operation.id)
            if tx.connection.execute(known).first() is not None:
                raise ConflictError(f"the operation {operation.id} is there already", hint="look at it, or begin another one")
            tx.connection.execute(insert(OPERATIONS).values(state_id=tx.state_id, **values))

    def operation(self, id: str) -> Operation:  # noqa: A002 - the word of the interface
        with self.database.read() as connection:
            return self._operation(self.found(connection, OPERATIONS, id, "operation"))

    def operations(self, *, limit: int = 0, is_open: bool | None = None) -> list[Operation]:
        wanted = select(OPERATIONS).where(OPERATIONS.c.state_id == self.database.state_id)
        if is_open is not None:
            is_final = OPERATIONS.c.status.in_(sorted(FINAL))
            wanted = wanted.where(~is_final if is_open else is_final)
        wanted = wanted.order_by(OPERATIONS.c.made_at.desc(), OPERATIONS.c.number.desc())
        with self.database.read() as connection:
            return [self._operation(row) for row in connection.execute(wanted.limit(limit) if limit else wanted)]

    def update_operation(
        self,
        id: str,  # noqa: A002 - as above
        *,
        status: OperationStatus | None = None,
        error: str | None = None,
        executor: str | None = None,
        wants_cancel: bool | None = None,
        started_at: float | None = None,
        ended_at: float | None = None,
    ) -> Operation:
        given = {
            "status": status,
            "error": None if error is None else clean(error),
            "executor": executor,
            "wants_cancel": wants_cancel,
            "started_at": started_at,
            "ended_at": ended_at,
        }
        with self.database.write() as tx:
            row = self.found(tx.connection, OPERATIONS, id, "operation")
            values = {name: value for name, value in given.items() if value is not None}
            if row.status in FINAL:
                values.pop("status", None)
            if values:
                tx.connection.execute(update(OPERATIONS).where(OPERATIONS.c.number == row.number).values(**values))
            return self._operation(self.found(tx.connection, OPERATIONS, row.id, "operation"))

    def put_step(self, run: StepRun) -> None:
        with self.database.write() as tx:
            _put_step(tx, run)

    def steps(self, operation: str) -> list[StepRun]:
        columns = STEPS.c
        wanted = select(STEPS).where(columns.state_id == self.database.state_id, columns.operation == operation)
        with self.database.read() as connection:
            rows = connection.execute(wanted.order_by(columns.started_at == 0, columns.started_at, columns.number)).all()
        return [self._step(row) for row in rows]

    def finish_step(self, run: StepRun, changed: Sequence[Recorded], removed: Sequence[str], write: Write) -> Head:
        rows = [row_of(one) for one in changed]
        with self.database.write() as tx:
            tx.fence(write.lease)
            _put_step(tx, run)
            return record(tx, rows, removed, **told(write))

    def intend(self, intent: Intent, write: Write) -> int:
        values = {name: getattr(intent, name) for name in _INTENT}
        with self.database.write() as tx:
            tx.fence(write.lease)
            done = tx.connection.execute(insert(INTENTS).values(state_id=tx.state_id, **values))
            return new_id(done)

    def settle(self, id: int, outcome: str, error: str = "") -> None:  # noqa: A002 - as above
        if outcome not in {"done", "failed"}:
            raise InvalidInputError(f"a call cannot end as {outcome!r}", hint="it is done or failed")
        with self.database.write() as tx:
            one = (INTENTS.c.state_id == tx.state_id) & (INTENTS.c.id == id)
            if tx.connection.execute(select(INTENTS.c.id).where(one)).first() is None:
                raise NotFoundError(f"there is no call {id} in the journal", hint="only what was intended can be settled")
            # Who comes second knows less: the first one saw the answer.
            tx.connection.execute(
                update(INTENTS).where(one, INTENTS.c.outcome == "").values(outcome=outcome, error=clean(error), ended_at=tx.now)
            )

    def intents(self, *, operation: str = "", address: str = "", is_open: bool | None = None) -> list[Intent]:
        columns = INTENTS.c
        wanted = select(INTENTS).where(columns.state_id == self.database.state_id).order_by(columns.id)
        if operation:
            wanted = wanted.where(columns.operation == operation)
        if address:
            wanted = wanted.where(columns.address == address)
        if is_open is not None:
            wanted = wanted.where(columns.outcome == "" if is_open else columns.outcome != "")
        with self.database.read() as connection:
            rows = connection.execute(wanted).all()
        return [Intent(row.id, **{name: getattr(row, name) for name in _INTENT}) for row in rows]

    def _operation(self, row: Any) -> Operation:
        values = {name: getattr(row, name) for name in _OPERATION}
        return Operation(**{**values, "options": self._read(row.options)})

    def _step(self, row: Any) -> StepRun:
        values = {name: getattr(row, name) for name in _STEP}
        before = None if row.before is None else from_whole(self._read(row.before))
        return StepRun(**{**values, "before": before, "result": self._read(row.result)})

    def _read(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            raise self.database.damaged("what an operation says cannot be read") from None


_OPERATION = tuple(name for name in Operation.__dataclass_fields__)
_STEP = tuple(name for name in StepRun.__dataclass_fields__)
_INTENT = tuple(name for name in Intent.__dataclass_fields__ if name != "id")


def _put_step(tx: Writing, run: StepRun) -> None:
    values = {name: getattr(run, name) for name in _STEP}
    values |= {"error": clean(run.error), "said": clean(run.said), "result": canonical(run.result)}
    values["before"] = None if run.before is None else canonical(whole(run.before))
    same = (STEPS.c.state_id == tx.state_id) & (STEPS.c.operation == run.operation) & (STEPS.c.step == run.step)
    known = tx.connection.execute(select(STEPS.c.number, STEPS.c.before).where(same)).first()
    if known is None:
        tx.connection.execute(insert(STEPS).values(state_id=tx.state_id, **values))
        return
    if known.before is not None:
        del values["before"]
    tx.connection.execute(update(STEPS).where(STEPS.c.number == known.number).values(**values))
