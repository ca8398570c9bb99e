"""The approvals of one workspace: given, denied, waited for and used."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from provisioning.approval.document import LIFETIME_SECONDS, Seat, Valid, Way, Who, denied, find_valid, signed, verify
from provisioning.approval.key_files import read_or_make_server_key
from provisioning.approval.keys import Signer
from provisioning.approval.trust import Trust, Trusted
from provisioning.errors import ApprovalInvalidError, PlanSpentError
from provisioning.state.model import StoredApproval, StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import ApprovalRequiredError, PermissionDeniedError

POLL_SECONDS = 0.1


class Approvals:
    """What a workspace's executor and its commands ask. Synchronous methods block on the disk; all may be called from threads.

    `folder` is the workspace's `.prov/`. With `accepts_elicitation` a yes that a person gives in a client counts too.
    `clock` tells seconds since 1970. Every method that reads the list of approvers raises TrustAlteredError.
    """

    def __init__(
        self,
        store: StateStore,
        trust: Trust,
        folder: Path,
        *,
        accepts_elicitation: bool = False,
        lifetime_seconds: float = LIFETIME_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.trust = trust
        self._store, self._folder, self._clock = store, folder, clock
        self._accepts_elicitation, self._lifetime = accepts_elicitation, lifetime_seconds
        self._lineage = store.head().lineage

    @property
    def now(self) -> float:
        """What the clock tells, in seconds since 1970."""
        return self._clock()

    def trusted(self) -> Trusted:
        """Whose approvals hold at the moment."""
        server = read_or_make_server_key(self._folder).public if self._accepts_elicitation else None
        return Trusted(self.trust.approvers(), server)

    def open_plan(self, plan_id: str) -> StoredPlan:
        """A plan that can still be approved. Raises NotFoundError, PlanAlteredError, PlanSpentError, ApprovalDeniedError."""
        plan = self._store.plan(plan_id)
        if plan.denied_by:
            raise denied(plan)
        # A row alone says nothing: where no approval was used, somebody wrote it, and a person's yes is still wanted.
        if plan.used_by and self._was_used(plan):
            raise PlanSpentError(f"{plan.id} was carried out already, by {plan.used_by}", hint="make a new plan", plan=plan.id)
        if self._clock() >= plan.expires_at:
            raise PlanSpentError(
                f"the time of {plan.id} is over", hint="make a new plan: the world may have changed", plan=plan.id
            )
        return plan

    def approve(self, plan: StoredPlan, signer: Signer, seat: Seat) -> Who:
        """Sign a plan and keep the approval. The signer must be trusted: see `Trust.begin` and `Trust.add`.

        Raises PlanSpentError, ApprovalDeniedError, ApprovalInvalidError (the signer is not trusted, or does not sign rightly).
        """
        self.open_plan(plan.id)
        self.trust.pin()
        return self._keep(plan, self._signed(plan, signer, seat, "signature", signer.name), self.trusted())

    def approve_by_elicitation(self, plan: StoredPlan, person: str, seat: Seat) -> Who:
        """Keep what a person answered in a client that asked (never a tool's argument); the server's own key signs it.

        Raises PermissionDeniedError when the settings do not let this count, PlanSpentError, ApprovalDeniedError.
        """
        if not self._accepts_elicitation:
            raise PermissionDeniedError(
                "what a person says in a client does not count as an approval here",
                hint=f"in a terminal of your own: prov approve {plan.id}",
            )
        self.open_plan(plan.id)
        key = read_or_make_server_key(self._folder)
        return self._keep(plan, self._signed(plan, key, seat, "elicitation", person), Trusted(server=key.public))

    def deny(self, plan: StoredPlan, seat: Seat, why: str = "") -> None:
        """Say no, for good. Raises PlanSpentError, ApprovalDeniedError."""
        self.open_plan(plan.id)
        self._store.deny_plan(plan.id, f"{seat.user}@{seat.host} ({seat.terminal})", why)

    def valid(self, plan: StoredPlan, *, operation: str = "", not_before: float = 0.0) -> Valid:
        """The approval that holds. Raises ApprovalDeniedError, ApprovalInvalidError, ApprovalRequiredError."""
        return find_valid(
            self._store, plan, self.trusted(), self._clock(), self._lineage, operation=operation, not_before=not_before
        )

    def use(self, plan: StoredPlan, operation: str, *, not_before: float = 0.0) -> Who:
        """Use the approval up for an operation; the same operation may ask again. Raises as `valid` does."""
        found = self.valid(plan, operation=operation, not_before=not_before)
        self._store.use_approval(found.stored, operation)
        return found.who

    def used(self, plan: StoredPlan, operation: str) -> Who:
        """Who gave the approval that an operation used up, verified again except for its time. Raises as `valid` does."""
        trusted = self.trusted()
        return find_valid(self._store, plan, trusted, self._clock(), self._lineage, operation=operation, is_used=True).who

    def _was_used(self, plan: StoredPlan) -> bool:
        try:
            self.used(plan, plan.used_by)
        except ApprovalRequiredError:
            return False
        return True

    async def wait_for(
        self, plan_id: str, timeout_seconds: float, *, operation: str = "", not_before: Callable[[], float] = lambda: 0.0
    ) -> Valid:
        """Wait until a person has approved, looking every 0.1 s outside the event loop.

        An approval given before `not_before`, asked anew with every look, does not count. What `operation` itself used already
        still counts for it: it goes on after a crash.

        Raises ApprovalDeniedError, PlanSpentError (over, or carried out meanwhile), ApprovalInvalidError or ApprovalRequiredError
        when the time is over: the former when something was there that does not hold.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                return await asyncio.to_thread(self._look, plan_id, operation, not_before())
            except (ApprovalInvalidError, ApprovalRequiredError) as error:
                # A row that does not hold must not keep a person's yes from being found.
                is_final = not (isinstance(error, ApprovalInvalidError) or type(error) is ApprovalRequiredError)
                left = deadline - time.monotonic()
                if is_final or left <= 0:
                    raise
            await asyncio.sleep(min(POLL_SECONDS, left))

    def _look(self, plan_id: str, operation: str, not_before: float) -> Valid:
        return self.valid(self.open_plan(plan_id), operation=operation, not_before=not_before)

    def _signed(self, plan: StoredPlan, signer: Signer, seat: Seat, way: Way, approver: str) -> StoredApproval:
        return signed(
            plan,
            signer,
            seat,
            way=way,
            approver=approver,
            lineage=self._lineage,
            now=self._clock(),
            lifetime=self._lifetime,
        )

    def _keep(self, plan: StoredPlan, approval: StoredApproval, trusted: Trusted) -> Who:
        who = verify(approval, plan, trusted, self._clock(), self._lineage)  # what does not hold is not kept
        self._store.add_approval(approval)
        return who
