"""SecretumVault: a vault that answers HashiCorp Vault's HTTP API and is ready for quantum computers.

A request goes in by `svault.http` (or by `Core.handle`, without a network), is authenticated, authorised, audited and
routed to an engine. An engine keeps its entries in a view of the barrier, which encrypts everything that a storage backend sees.

    errors      what a client is told         logical   requests, answers, routes of an engine
    storage     where ciphertext is kept      crypto    who computes ML-KEM and ML-DSA
    barrier     the encryption                seal      how the root key is opened
    engines     kv, transit, pki, database    auth      token, approle, userpass
    policy      who may do what               audit     what was done, provably
"""
