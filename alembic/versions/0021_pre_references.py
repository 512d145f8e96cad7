"""References: what a model's owner's own code gave for some images, and how that agrees."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021_pre_references"
down_revision = "0020_pre_audit_clusters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("reference_digest", sa.Text(), nullable=True))
    op.add_column("models", sa.Column("reference_size", sa.BigInteger(), nullable=True))
    op.add_column("models", sa.Column("fidelity", JSONB(), nullable=True))


def downgrade() -> None:
    for name in ("fidelity", "reference_size", "reference_digest"):
        op.drop_column("models", name)
