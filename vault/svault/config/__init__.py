"""The configuration of a server: `svault.toml`, or Vault's own file in its JSON form."""
