"""idempotency keys of every POST, what retention removed."""

import sqlalchemy as sa
from alembic import op

revision = "0004_idempotency"
down_revision = "0003_replanned_audits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("operation", "key"),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.drop_constraint("audits_idempotency_key_key", "audits", type_="unique")
    op.drop_column("audits", "idempotency_key")
    op.drop_column("audits", "request_digest")
    op.add_column("audits", sa.Column("scores_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audits", sa.Column("maps_removed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("audits", "maps_removed_at")
    op.drop_column("audits", "scores_removed_at")
    op.add_column("audits", sa.Column("request_digest", sa.Text(), nullable=True))
    op.add_column("audits", sa.Column("idempotency_key", sa.Text(), nullable=True))
    op.create_unique_constraint("audits_idempotency_key_key", "audits", ["idempotency_key"])
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
