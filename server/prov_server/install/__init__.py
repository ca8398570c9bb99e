"""The install story: the files that name our server to MCP clients, and the doctor that says what is missing.

For others: `clients`, `find_client`, `install`, `uninstall`, `registered`, `Change`, `running_command`, `serve_arguments`
(put our entry into a client's own configuration and take it out again); `doctor.doctor` (what works on this machine);
`manifest.derived_files` (the committed files that come from one declaration); `bundle` (the .mcpb bundle).
"""

from prov_server.install.clients import Client, Scope, clients, find_client
from prov_server.install.registration import Change, install, registered, running_command, serve_arguments, uninstall

__all__ = [
    "Change",
    "Client",
    "Scope",
    "clients",
    "find_client",
    "install",
    "registered",
    "running_command",
    "serve_arguments",
    "uninstall",
]
