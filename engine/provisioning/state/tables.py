"""The tables, the same in SQLite and PostgreSQL. One database holds several states; every row belongs to one.

`migrations/` makes them; a test holds the two together.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER counts up by itself in SQLite


def _state() -> Column[int]:
    return Column("state_id", _NUMBER, nullable=False)


STATES = Table(
    "prov_states",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("lineage", Text, nullable=False),
    Column("serial", _NUMBER, nullable=False),
    Column("hash", Text, nullable=False),
    Column("lease_token", _NUMBER, nullable=False),
    Column("lease_holder", Text, nullable=False),
    Column("lease_operation", Text, nullable=False),
    Column("lease_since", Float(53), nullable=False),
    Column("lease_expires_at", Float(53), nullable=False),
)
"""One row a state: where it stands and who may write. A write locks it, so writes of one state come one after the other."""

SERIALS = Table(
    "prov_serials",
    METADATA,
    Column("state_id", _NUMBER, primary_key=True, autoincrement=False),
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("parent", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("operation", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changes", Text, nullable=False),
)

RESOURCES = Table(
    "prov_resources",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    _state(),
    Column("address", Text, nullable=False),
    Column("valid_from", _NUMBER, nullable=False),
    Column("valid_to", _NUMBER, nullable=True),
    Column("body", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("checked_at", Float(53), nullable=False),
    Column("observed", Text, nullable=False),
    Index(
        "prov_resources_live",
        "state_id",
        "address",
        unique=True,
        sqlite_where=text("valid_to IS NULL"),
        postgresql_where=text("valid_to IS NULL"),
    ),
    Index("prov_resources_history", "state_id", "valid_from"),
)
"""A row holds from the serial `valid_from` on, until the serial `valid_to` that ended it; NULL is now."""

OPERATIONS = Table(
    "prov_operations",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    _state(),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("ended_at", Float(53), nullable=False),
    Column("error", Text, nullable=False),
    Column("parent", Text, nullable=False),
    Column("wants_cancel", Boolean, nullable=False),
    Column("executor", Text, nullable=False),
    Column("options", Text, nullable=False),
    UniqueConstraint("state_id", "id"),
)

STEPS = Table(
    "prov_steps",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    _state(),
    Column("operation", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", Float(53), nullable=False),
    Column("ended_at", Float(53), nullable=False),
    Column("error", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("before", Text, nullable=True),
    Column("result", Text, nullable=False),
    UniqueConstraint("state_id", "operation", "step"),
)

INTENTS = Table(
    "prov_intents",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    _state(),
    Column("operation", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("begun_at", Float(53), nullable=False),
    Column("ended_at", Float(53), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("prov_intents_operation", "state_id", "operation"),
    Index("prov_intents_address", "state_id", "address"),
)

PLANS = Table(
    "prov_plans",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    _state(),
    Column("id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("used_by", Text, nullable=False),
    Column("denied_by", Text, nullable=False),
    Column("denied_why", Text, nullable=False),
    UniqueConstraint("state_id", "id"),
)

APPROVALS = Table(
    "prov_approvals",
    METADATA,
    Column("number", _NUMBER, primary_key=True),
    _state(),
    Column("key", Text, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("used_by", Text, nullable=False),
    UniqueConstraint("state_id", "key"),
    Index("prov_approvals_plan", "state_id", "plan_sha256"),
)
"""`key` is the SHA-256 of what tells an approval from others: the plan, the approver, what was signed and the signature."""
