"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """States, their serials and resources; operations with steps and intents; plans and approvals."""
    op.create_table(
        "prov_states",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("lineage", sa.Text, nullable=False),
        sa.Column("serial", NUMBER, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("lease_token", NUMBER, nullable=False),
        sa.Column("lease_holder", sa.Text, nullable=False),
        sa.Column("lease_operation", sa.Text, nullable=False),
        sa.Column("lease_since", sa.Float(53), nullable=False),
        sa.Column("lease_expires_at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "prov_serials",
        sa.Column("state_id", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
    )
    op.create_table(
        "prov_resources",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("valid_from", NUMBER, nullable=False),
        sa.Column("valid_to", NUMBER, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("checked_at", sa.Float(53), nullable=False),
        sa.Column("observed", sa.Text, nullable=False),
    )
    live = sa.text("valid_to IS NULL")
    op.create_index(
        "prov_resources_live", "prov_resources", ["state_id", "address"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_index("prov_resources_history", "prov_resources", ["state_id", "valid_from"])
    op.create_table(
        "prov_operations",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("plan_sha256", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("wants_cancel", sa.Boolean, nullable=False),
        sa.Column("executor", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.UniqueConstraint("state_id", "id"),
    )
    op.create_table(
        "prov_steps",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Float(53), nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=True),
        sa.Column("result", sa.Text, nullable=False),
        sa.UniqueConstraint("state_id", "operation", "step"),
    )
    op.create_table(
        "prov_intents",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Float(53), nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_index("prov_intents_operation", "prov_intents", ["state_id", "operation"])
    op.create_index("prov_intents_address", "prov_intents", ["state_id", "address"])
    op.create_table(
        "prov_plans",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("used_by", sa.Text, nullable=False),
        sa.Column("denied_by", sa.Text, nullable=False),
        sa.Column("denied_why", sa.Text, nullable=False),
        sa.UniqueConstraint("state_id", "id"),
    )
    op.create_table(
        "prov_approvals",
        sa.Column("number", NUMBER, primary_key=True),
        sa.Column("state_id", NUMBER, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("plan_sha256", sa.Text, nullable=False),
        sa.Column("approver", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("used_by", sa.Text, nullable=False),
        sa.UniqueConstraint("state_id", "key"),
    )
    op.create_index("prov_approvals_plan", "prov_approvals", ["state_id", "plan_sha256"])
