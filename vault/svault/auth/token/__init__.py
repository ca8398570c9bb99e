"""Tokens: `store` keeps them, `engine` answers `auth/token/`."""
