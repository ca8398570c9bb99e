"""What goes wrong with keys, with the list of those whom a workspace trusts, and with a workspace that came from elsewhere."""

from stratumops.errors import PermissionDeniedError


class WrongPassphraseError(PermissionDeniedError):
    """The passphrase does not open the approver's key, or the key's file was altered: the two cannot be told apart."""

    code = "wrong_passphrase"


class TrustAlteredError(PermissionDeniedError):
    """The list of a workspace's approvers was changed by somebody who may not, or is an older one; the message says where."""

    code = "trust_altered"


class NotAdoptedError(PermissionDeniedError):
    """A `.prov`, or a list of approvers in one, that this user neither made here nor looked at yet."""

    code = "workspace_not_adopted"
