"""What an approver signs, and when it holds. It names one plan by its hash, says who and until when, and is used once."""

import hashlib
import json
import math
import secrets
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from provisioning.approval.keys import Signer
from provisioning.approval.trust import Trusted
from provisioning.errors import ApprovalDeniedError, ApprovalInvalidError
from provisioning.plan.model import parsed
from provisioning.state.model import StoredApproval, StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import ApprovalRequiredError

Way = Literal["signature", "elicitation"]
PURPOSE = "stratumops: carry out this plan, once"
CONTEXT = b"stratumops approval 1"
LIFETIME_SECONDS = 900.0
"""How long an approval may wait for its plan to be carried out."""
LONGEST_SECONDS = 86_400.0
_SKEW_SECONDS = 5.0
"""By how much clocks of one machine, or of two that keep time, may differ."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who approved: the approver (or the person of a client), and where. `made_at` is seconds since 1970."""

    approver: str
    way: Way
    user: str
    host: str
    terminal: str
    made_at: float

    @property
    def said(self) -> str:
        """In words, for logs and for people."""
        return f"{self.approver} ({self.user}@{self.host}, {self.terminal})"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a person sits: the system's user, the machine, the terminal (or the client, for an elicitation)."""

    user: str
    host: str
    terminal: str


@dataclass(frozen=True, slots=True)
class ApprovalDocument:
    """What is signed. Times are seconds since 1970; `nonce` are 32 random hex digits; `key` is the id of the key that signs."""

    purpose: str
    way: Way
    plan: str
    plan_sha256: str
    lineage: str
    approver: str
    key: str
    user: str
    host: str
    terminal: str
    made_at: float
    expires_at: float
    nonce: str

    @property
    def body(self) -> bytes:
        """Canonical JSON (sorted keys, no spaces, UTF-8)."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )

    @classmethod
    def of_body(cls, body: bytes) -> "ApprovalDocument":
        """The inverse of `body`. Raises ValueError for what is no such document, or is written in another way."""
        kinds: dict[str, Any] = {one.name: str for one in fields(cls)} | {"made_at": float, "expires_at": float}
        try:
            found = json.loads(body)
            is_right = set(found) == set(kinds) and all(isinstance(found[name], kind) for name, kind in kinds.items())
            document = cls(**found) if is_right else None
        except (ValueError, TypeError, RecursionError):
            document = None
        if document is None or document.body != body or document.purpose != PURPOSE:
            raise ValueError("this is no approval")
        if not (math.isfinite(document.made_at) and math.isfinite(document.expires_at)):
            raise ValueError("this approval has no times")
        return document


@dataclass(frozen=True, slots=True)
class Valid:
    """An approval that holds, and who gave it."""

    stored: StoredApproval
    who: Who


def signed(
    plan: StoredPlan, signer: Signer, seat: Seat, *, way: Way, approver: str, lineage: str, now: float, lifetime: float
) -> StoredApproval:
    """An approval of a plan, made now; it is over with the plan, or after `lifetime` seconds if that is earlier."""
    document = ApprovalDocument(
        purpose=PURPOSE,
        way=way,
        plan=plan.id,
        plan_sha256=plan.sha256,
        lineage=lineage,
        approver=approver,
        key=signer.public.id,
        user=seat.user,
        host=seat.host,
        terminal=seat.terminal,
        made_at=float(now),
        expires_at=float(min(now + min(lifetime, LONGEST_SECONDS), plan.expires_at)),
        nonce=secrets.token_hex(16),
    )
    return StoredApproval(
        plan_sha256=plan.sha256,
        approver=approver,
        way=way,
        document=document.body,
        signature=signer.sign(document.body, CONTEXT),
        made_at=document.made_at,
        expires_at=document.expires_at,
    )


def verify(
    stored: StoredApproval,
    plan: StoredPlan,
    trusted: Trusted,
    now: float,
    lineage: str,
    *,
    operation: str = "",
    not_before: float = 0.0,
    is_used: bool = False,
) -> Who:
    """Who approved this plan. Raises ApprovalInvalidError with the reason.

    An approval that `operation` itself used still holds for it (it may start again after a crash); one made before `not_before`
    (such as the last time that untrusted text was read) does not. With `is_used` it must be one that `operation` used, and may be
    over by now: it held when it was used.
    """
    document = _authentic(stored, trusted)
    _require(stored.plan_sha256 == document.plan_sha256, "the stored row names another plan than what was signed")
    row = (stored.approver, stored.way, stored.made_at, stored.expires_at)
    _require(
        row == (document.approver, document.way, document.made_at, document.expires_at), "the stored row is not what was signed"
    )
    _require(document.lineage == lineage, f"it is for another state ({document.lineage})")
    _require(document.plan_sha256 == plan.sha256 and document.plan == plan.id, f"it is for another plan ({document.plan})")
    _require(hashlib.sha256(plan.body).hexdigest() == plan.sha256, "the plan was altered after it was approved")
    _require(_lineage_of(plan) == lineage, "the plan was made for another state")
    _require(document.made_at <= now + _SKEW_SECONDS, "it was made in the future: a clock is wrong, or somebody moved it")
    _require(document.expires_at - document.made_at <= LONGEST_SECONDS, "it would hold for longer than a day")
    _require(is_used or now < document.expires_at, "it is over")
    _require(document.made_at >= not_before, "it was given before untrusted text was read last")
    if is_used:
        _require(bool(operation) and stored.used_by == operation, f"{operation or 'nothing'} did not use it")
    _require(stored.used_by in {"", operation}, f"it was used already, by {stored.used_by}")
    return Who(document.approver, document.way, document.user, document.host, document.terminal, document.made_at)


def find_valid(
    store: StateStore,
    plan: StoredPlan,
    trusted: Trusted,
    now: float,
    lineage: str,
    *,
    operation: str = "",
    not_before: float = 0.0,
    is_used: bool = False,
) -> Valid:
    """The newest approval of a plan that holds; see `verify`.

    Raises ApprovalDeniedError, ApprovalInvalidError (none of those that are there holds: why the newest does not),
    ApprovalRequiredError (there is none).
    """
    if plan.denied_by:
        raise denied(plan)
    reason: ApprovalInvalidError | None = None
    for stored in store.approvals(plan.sha256):
        try:
            who = verify(stored, plan, trusted, now, lineage, operation=operation, not_before=not_before, is_used=is_used)
        except ApprovalInvalidError as error:
            reason = reason or error
        else:
            return Valid(stored, who)
    if reason is not None:
        raise reason
    raise required(plan)


def required(plan: StoredPlan) -> ApprovalRequiredError:
    """The error that says how a person approves."""
    return ApprovalRequiredError(
        f"a person must approve {plan.id} before it is carried out",
        hint=f"in a terminal of your own: prov approve {plan.id}",
        plan=plan.id,
        plan_sha256=plan.sha256,
    )


def denied(plan: StoredPlan) -> ApprovalDeniedError:
    """The error that says who denied a plan and why."""
    why = f": {plan.denied_why}" if plan.denied_why else ""
    return ApprovalDeniedError(
        f"{plan.id} was denied by {plan.denied_by}{why}",
        hint="make another plan; this one cannot be approved any more",
        plan=plan.id,
    )


def _authentic(stored: StoredApproval, trusted: Trusted) -> ApprovalDocument:
    """The document, once its signature has been verified by a key that may sign in that way."""
    try:
        document = ApprovalDocument.of_body(stored.document)
    except ValueError:
        raise _invalid("its document is damaged or altered") from None
    if document.way == "elicitation":
        _require(trusted.server is not None, "what is said in a client does not count here (setting engine.elicitation)")
        assert trusted.server is not None
        _require(document.key == trusted.server.id, "another server signed it")
        public = trusted.server
    else:
        _require(document.way == "signature", "it was given in an unknown way")
        approver = trusted.approvers.get(document.key)
        _require(approver is not None, f"{document.approver!r} (key {document.key}) is no approver of this workspace")
        assert approver is not None
        _require(approver.name == document.approver, f"the key of {approver.name!r} signed it for {document.approver!r}")
        _require(document.made_at >= approver.since - _SKEW_SECONDS, f"{approver.name!r} was no approver yet when it was made")
        public = approver.public
    _require(public.verifies(stored.document, stored.signature, CONTEXT), "its signature is wrong")
    return document


def _lineage_of(plan: StoredPlan) -> str:
    try:
        return parsed(plan.body).basis.lineage
    except ValueError:
        return ""


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise _invalid(reason)


def _invalid(reason: str) -> ApprovalInvalidError:
    return ApprovalInvalidError(
        f"the approval does not hold: {reason}", hint="a person must approve the plan again: prov approve PLAN_ID"
    )
