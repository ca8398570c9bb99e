"""What is wrong with a configuration file that cannot be used at all."""

from svault.errors import VaultError


class ConfigError(VaultError):
    """The file cannot be read, or a key in it is wrong. Names file, line and key, never a value."""

    code, http_status, exit_code = "vault_config", 400, 2
