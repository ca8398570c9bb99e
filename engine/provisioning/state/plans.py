"""Plans and approvals: kept, and used once."""

import time
from typing import Any

from sqlalchemy import Row, insert, select, update

from provisioning.errors import ApprovalInvalidError, PlanAlteredError, PlanSpentError
from provisioning.state.model import StoredApproval, StoredPlan
from provisioning.state.records import sha256
from provisioning.state.rows import Rows, clean
from provisioning.state.tables import APPROVALS, PLANS
from stratumops.errors import ConflictError


class Plans(Rows):
    """The methods of the store for plans and approvals."""

    def keep_plan(self, plan: StoredPlan) -> None:
        with self.database.write() as tx:
            known = select(PLANS.c.sha256).where(PLANS.c.state_id == tx.state_id, PLANS.c.id == plan.id)
            there = tx.connection.execute(known).first()
            if there is None:
                values = {name: getattr(plan, name) for name in _PLAN}
                tx.connection.execute(insert(PLANS).values(state_id=tx.state_id, **values))
            elif there.sha256 != plan.sha256:
                raise ConflictError(f"another plan is kept as {plan.id}", hint="plan again")

    def plan(self, id: str) -> StoredPlan:  # noqa: A002 - the word of the interface
        with self.database.read() as connection:
            found = _plan(self.found(connection, PLANS, id, "plan"))
        if sha256(found.body) != found.sha256:
            raise PlanAlteredError(
                f"the stored plan {found.id} is not the one that its hash names: it was altered",
                hint="plan again; do not approve this one",
                plan=found.id,
            )
        return found

    def plans(self, *, limit: int = 0, is_open: bool | None = None) -> list[StoredPlan]:
        columns = PLANS.c
        wanted = select(PLANS).where(columns.state_id == self.database.state_id)
        if is_open is not None:
            unused = (columns.used_by == "") & (columns.denied_by == "") & (columns.expires_at > time.time())
            wanted = wanted.where(unused if is_open else ~unused)
        wanted = wanted.order_by(columns.made_at.desc(), columns.number.desc())
        with self.database.read() as connection:
            return [_plan(row) for row in connection.execute(wanted.limit(limit) if limit else wanted)]

    def use_plan(self, id: str, operation: str) -> None:  # noqa: A002 - as above
        with self.database.write() as tx:
            row = self.found(tx.connection, PLANS, id, "plan")
            if row.used_by == operation and operation:
                return
            _check_unspent(row)
            tx.connection.execute(update(PLANS).where(PLANS.c.number == row.number).values(used_by=operation))

    def deny_plan(self, id: str, by: str, why: str) -> None:  # noqa: A002 - as above
        with self.database.write() as tx:
            row = self.found(tx.connection, PLANS, id, "plan")
            _check_unspent(row)
            denied = {"denied_by": clean(by), "denied_why": clean(why)}
            tx.connection.execute(update(PLANS).where(PLANS.c.number == row.number).values(**denied))

    def add_approval(self, approval: StoredApproval) -> None:
        values = {name: getattr(approval, name) for name in _APPROVAL}
        key = _key(approval)
        with self.database.write() as tx:
            known = select(APPROVALS.c.number).where(APPROVALS.c.state_id == tx.state_id, APPROVALS.c.key == key)
            if tx.connection.execute(known).first() is None:
                tx.connection.execute(insert(APPROVALS).values(state_id=tx.state_id, key=key, **values))

    def approvals(self, plan_sha256: str) -> list[StoredApproval]:
        columns = APPROVALS.c
        wanted = select(APPROVALS).where(columns.state_id == self.database.state_id, columns.plan_sha256 == plan_sha256)
        with self.database.read() as connection:
            rows = connection.execute(wanted.order_by(columns.made_at.desc(), columns.number.desc())).all()
        return [StoredApproval(**{name: getattr(row, name) for name in _APPROVAL}) for row in rows]

    def use_approval(self, approval: StoredApproval, operation: str) -> None:
        with self.database.write() as tx:
            one = (APPROVALS.c.state_id == tx.state_id) & (APPROVALS.c.key == _key(approval))
            row = tx.connection.execute(select(APPROVALS.c.used_by).where(one)).first()
            if row is None:
                raise ApprovalInvalidError(
                    f"this approval of {approval.approver} is not kept here", hint="approve the plan in this workspace"
                )
            if row.used_by and row.used_by != operation:
                raise ApprovalInvalidError(
                    f"the approval of {approval.approver} was used by the operation {row.used_by}",
                    hint="an approval is used once: approve again",
                )
            tx.connection.execute(update(APPROVALS).where(one).values(used_by=operation))


_PLAN = tuple(StoredPlan.__dataclass_fields__)
_APPROVAL = tuple(StoredApproval.__dataclass_fields__)


def _plan(row: Row[Any]) -> StoredPlan:
    return StoredPlan(**{name: getattr(row, name) for name in _PLAN})


def _key(approval: StoredApproval) -> str:
    parts = (approval.plan_sha256.encode(), approval.approver.encode(), approval.document, approval.signature)
    return sha256("".join(sha256(part) for part in parts))


def _check_unspent(row: Row[Any]) -> None:
    why = ""
    if row.used_by:
        why = f"the operation {row.used_by} took it"
    elif row.denied_by:
        why = f"{row.denied_by} denied it" + (f" ({row.denied_why})" if row.denied_why else "")
    elif row.expires_at <= time.time():
        why = "its time is over"
    if why:
        raise PlanSpentError(f"the plan {row.id} cannot be used any more: {why}", hint="plan again", plan=row.id)
