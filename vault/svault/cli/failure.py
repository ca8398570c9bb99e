"""What ends a command, with Vault's exit codes: 1 is the command line, 2 is the vault's answer."""

from svault.errors import VaultError

LOCAL, REMOTE = 1, 2


class CommandError(VaultError):
    """The command cannot be done as it was given: exit code 1."""

    code, http_status, exit_code = "vault_command", 400, LOCAL


class ApiError(VaultError):
    """The vault refused, or did not answer: exit code 2."""

    code, http_status, exit_code = "vault_api", 502, REMOTE

    def __init__(self, *errors: str, hint: str = "", status: int = 0) -> None:
        super().__init__(*errors, hint=hint)
        self.status = status
