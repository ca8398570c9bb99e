"""How the root key is opened: by people's shares (Shamir), or by a key in a file or the environment."""
