"""The migrations of the state's tables, in order. `provisioning.state.schema` runs them; nobody runs alembic by hand."""
