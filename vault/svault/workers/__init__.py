"""Further processes that answer what changes nothing, beside the one that writes: Vault's performance standbys, on one machine.

`pool` is the active process's side, `process` and `front` the worker's, `replica` what a worker holds of the vault.
"""
