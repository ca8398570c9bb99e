"""The encryption between the vault and its storage: AES-256-GCM under a keyring that can be rotated."""
