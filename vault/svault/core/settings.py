"""What the core is told when it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from svault.core.mount_entry import MountEntry

DAY = 86_400
CONFIGURED = "configuration/"
"""The path of the audit device that the configuration file enables, so that it can be told from those of the API."""


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """Times in seconds. `mounts` are mounted when the vault is initialised, beside what every vault has."""

    default_lease_ttl: int = DAY
    max_lease_ttl: int = 30 * DAY
    mounts: Sequence[MountEntry] = ()
    cluster_name: str = "svault"
    storage_type: str = "inmem"
    advertise: str = ""
    """Where the other servers of the same storage reach this one; without it there is no election."""
    peer_ca: str = ""
    """The file with the CA of the other servers' certificates; the system's when empty."""
    peer_cert: str = ""
    peer_key: str = ""
    """The files with the certificate and key that this server shows to the others when it forwards a request."""
    log_level: str = "info"
    audit_devices: Sequence["AuditDevice"] | None = None
    """Enabled when the vault is unsealed; what an earlier file named and this one does not is disabled. None: nobody says."""
    shares: int = 0
    threshold: int = 0
    """What init makes when it is not told numbers; 0: it must be told."""


@dataclass(frozen=True, slots=True)
class AuditDevice:
    """An audit device of the configuration file, enabled when the vault is unsealed."""

    path: str
    kind: str
    options: Mapping[str, str]
