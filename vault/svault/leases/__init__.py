"""Leases: written down before anything is created, revoked when they end, also when the server was away at that moment."""
