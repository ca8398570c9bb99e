"""The toolset `vault`: secrets, keys, certificates and database users, by handle. No tool ever answers a value."""
