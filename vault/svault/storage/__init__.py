"""Where ciphertext is kept: one interface (`base`), a backend a module."""
