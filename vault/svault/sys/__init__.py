"""The vault's own API under `sys/`: one part a topic, and the paths that answer without a token in `open_paths`."""

from svault.sys.audit import AuditPaths
from svault.sys.capabilities import CapabilityPaths
from svault.sys.cedar import CedarPaths
from svault.sys.leases import LeasePaths
from svault.sys.lockout import LockoutPaths
from svault.sys.mounts import MountPaths
from svault.sys.policies import PolicyPaths
from svault.sys.state import StatePaths
from svault.sys.tools import ToolPaths
from svault.sys.wrapping import WrappingPaths

__all__ = ["SystemEngine"]


class SystemEngine(
    MountPaths,
    PolicyPaths,
    CedarPaths,
    CapabilityPaths,
    AuditPaths,
    LeasePaths,
    LockoutPaths,
    WrappingPaths,
    StatePaths,
    ToolPaths,
):
    """All of `sys/` that needs an unsealed vault."""
