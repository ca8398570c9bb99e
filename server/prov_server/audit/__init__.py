"""The audit of every tool call: one signed hash chain a workspace, in `.prov/audit/`. See `docs/howto/audit.md`."""

from prov_server.audit.calls import Admitted, Audit, Entry

__all__ = ["Admitted", "Audit", "Entry"]
