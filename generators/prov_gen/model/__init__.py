"""The configuration's shape: pydantic models, the single source of contracts, JSON schemas, forms and reference pages.

Others use: `InfrastructureConfig` and `dump` (`infrastructure`), the records themselves, `KINDS`, `resources` and `wrap`
(`kinds`). Importing this package imports nothing; its modules cost some 60 ms, so take them when needed.
"""
