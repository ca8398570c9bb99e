"""Vault's HTTP API: `app` translates, `server` listens."""
