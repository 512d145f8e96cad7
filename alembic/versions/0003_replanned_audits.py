"""Audits that were planned anew say so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_replanned_audits"
down_revision = "0002_fair_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audits", sa.Column("replanned", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("audits", "replanned")
