"""The command `svault`."""
