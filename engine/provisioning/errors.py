"""What goes wrong between a plan and the world. Whether trying again can help is part of the error, never of its words."""

from stratumops.errors import (
    ApprovalRequiredError,
    ConflictError,
    ExternalError,
    InvalidInputError,
    PermissionDeniedError,
    UnavailableError,
)


class StateLockedError(ConflictError):
    """Another operation holds the state's lease; the message says which and since when."""

    code = "state_locked"


class LeaseLostError(ConflictError):
    """This process held the lease and lost it: nothing more may be written or called under its fencing token."""

    code = "lease_lost"


class StateCorruptError(UnavailableError):
    """The state's database cannot be read and could not be restored; the message names the file."""

    code = "state_corrupt"


class StateTooNewError(ConflictError):
    """A newer version of the product wrote this state: this one must not touch it."""

    code = "state_too_new"


class StalePlanError(ConflictError):
    """What the plan was made for has changed since; the details have the difference."""

    code = "plan_stale"


class PlanAlteredError(PermissionDeniedError):
    """The stored plan is not the one that its hash names."""

    code = "plan_altered"


class PlanSpentError(ConflictError):
    """The plan was applied, denied or replaced already, or its time is over."""

    code = "plan_spent"


class CycleError(InvalidInputError):
    """Steps wait for each other in a circle; the message names it."""

    code = "dependency_cycle"


class ApprovalDeniedError(ApprovalRequiredError):
    """A person said no."""

    code = "approval_denied"


class ApprovalInvalidError(ApprovalRequiredError):
    """An approval is there and does not hold: wrong signature, unknown approver, another plan, over, or used."""

    code = "approval_invalid"


class ProviderError(ExternalError):
    """A provider refused or failed. `is_permanent`: the same request can only fail again.

    The message has the provider's own words, cleaned of identifiers that are secrets.
    """

    code = "provider_error"
    is_permanent = True


class ProviderBusyError(ProviderError):
    """It throttles, is overloaded, answers 5xx, or what is asked for is not possible yet: try again later."""

    code = "provider_busy"
    is_permanent = False


class ProviderSilentError(ProviderError):
    """No answer came in time: what was asked for may have been done. Look it up by tag before asking again."""

    code = "provider_silent"
    is_permanent = False


class ProviderAccountError(ProviderError):
    """The credentials are missing, wrong, over, or not allowed to do this; or the account is gone."""

    code = "provider_account"
