"""Prometheus metrics under Vault's names. Labels never hold a path beyond the mount's kind, a token or a name of a secret."""

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from svault.tally import Tally

if TYPE_CHECKING:
    from svault.core.core import Core


class Metrics:
    """The metrics of one server. Times are seconds. What the vault holds now is counted when somebody asks."""

    def __init__(self, core: "Core") -> None:
        self.registry = CollectorRegistry()
        self.unsealed = Gauge("vault_core_unsealed", "1 when the vault is unsealed", registry=self.registry)
        self.is_active = Gauge("vault_core_active", "1 when this server is the active one", registry=self.registry)
        self.denied = Counter("vault_core_denied_requests", "Requests that the policies refused", registry=self.registry)
        self.logins = Counter("vault_core_handle_login_requests", "Logins, by auth method", ["method"], registry=self.registry)
        self.tally = Tally()
        self.registry.register(self.tally)
        leases = Gauge("vault_expire_num_leases", "Leases that have not ended, tokens among them", registry=self.registry)
        leases.set_function(lambda: len(core.active.leases) if core.active else 0)
        irrevocable = Gauge("vault_expire_num_irrevocable_leases", "Leases that need a person", registry=self.registry)
        irrevocable.set_function(lambda: len(core.active.leases.irrevocable()) if core.active else 0)
        devices = Gauge("vault_audit_devices", "Enabled audit devices", registry=self.registry)
        devices.set_function(lambda: len(core.active.audit.devices()) if core.active else 0)
        mounts = Gauge("vault_core_mount_table_num_entries", "Mounted engines and auth methods", registry=self.registry)
        mounts.set_function(lambda: sum(1 for _ in core.active.mounts) if core.active else 0)
        encryptions = Gauge("vault_barrier_estimated_encryptions", "Encryptions of the active term", registry=self.registry)
        encryptions.set_function(lambda: 0 if core.barrier.is_sealed else core.barrier.active_term.encryptions)

    def observe(self, operation: str, kind: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.tally.observe(operation, kind, status, seconds)

    def exposition(self) -> tuple[bytes, str]:
        """The text form and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
