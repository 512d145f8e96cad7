"""The column of the manifest whose values an audit's intervals draw together."""

import sqlalchemy as sa
from alembic import op

revision = "0020_pre_audit_clusters"
down_revision = "0019_pre_heads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audits", sa.Column("cluster", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("audits", "cluster")
