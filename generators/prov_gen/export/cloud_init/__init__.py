"""A configuration as cloud-init user data, one file a server: `export`.

cloud-init sets a machine up from inside; what the machine is (its size, disks, network) belongs to another export.
"""

from prov_gen.export.cloud_init.user_data import user_data
from prov_gen.export.model import Exported
from prov_gen.export.tracking import Ledger, path_of
from prov_gen.model.infrastructure import InfrastructureConfig

OUTSIDE = "cloud-init sets up a server from inside; this is made outside of it"


def export(config: InfrastructureConfig) -> Exported:
    """`NAME.user-data.yaml` for each server, `NAME.user-data.mime` where it has user data of its own beside ours."""
    ledger = Ledger(config)
    files: dict[str, str] = {}
    named: set[str] = set()
    for server in ledger.root.servers:
        if server.name in named:
            ledger.leave(path_of(server), f"another server is called {server.name}")
            continue
        named.add(server.name)
        made = user_data(server, ledger.root, ledger)
        files[f"{server.name}.user-data.{'mime' if made.is_multipart else 'yaml'}"] = made.text
    return Exported(files, ledger.not_carried(OUTSIDE))
