"""What an approver is told of the providers' accounts: where they are not the usual ones."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prov_server.engine.access import EngineAccess


def unusual_accounts(access: "EngineAccess") -> dict[str, str]:
    """By provider, an endpoint or a region of its own, and options: "endpoint https://cloud.example". No secrets.

    Raises InvalidInputError for accounts that cannot be read.
    """
    if access.is_sandbox:
        return {"aws": "a sandbox on this machine"}
    found = {}
    for name, account in access.accounts.all().items():
        chosen = {"endpoint": account.endpoint, "region": account.region, **account.options}
        found[name] = ", ".join(f"{key} {value}" for key, value in chosen.items() if value)
    return found
