"""Whether settings that are valid one by one agree with each other and with the tools that there are.

`prov serve` refuses the same when it starts; whoever writes or checks the settings learns it here first.
"""

from stratumops.errors import InvalidInputError
from stratumops.settings import Settings
from stratumops.settings_text import Problem


def disagreements(settings: Settings) -> list[Problem]:
    """What a server would refuse, each under the setting that has to change. Starts and opens nothing."""
    from prov_server.http.listen import require_safe_address  # noqa: PLC0415 - the server over stdio starts without it
    from prov_tools.registry import REGISTRY  # noqa: PLC0415 - as above

    found = []
    try:
        REGISTRY.expand(settings.mcp.toolsets)
    except InvalidInputError as error:
        found.append(Problem("mcp.toolsets", error.message, hint=error.hint))
    try:
        require_safe_address(settings.server)
    except InvalidInputError as error:
        server = settings.server
        key = "server.host"
        if bool(server.tls_certificate) != bool(server.tls_key):
            key = "server.tls_key" if server.tls_certificate else "server.tls_certificate"
        found.append(Problem(key, error.message, hint=error.hint))
    return found
