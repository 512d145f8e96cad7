"""Comparisons whose sides are single models of their audits, as a version in its run group is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0044_pre_sides_of_comparisons"
down_revision = "0043_pre_objects_within"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("comparisons", sa.Column("model_ids", ARRAY(sa.Uuid()), nullable=True))


def downgrade() -> None:
    op.drop_column("comparisons", "model_ids")
