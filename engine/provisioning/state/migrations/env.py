"""What alembic runs: the connection, with its transaction begun, comes from `provisioning.state.schema`."""

from alembic import context

from provisioning.state.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
