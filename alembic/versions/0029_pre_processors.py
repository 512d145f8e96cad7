"""An audit says on which processors it ran, and a worker which one it has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029_pre_processors"
down_revision = "0028_pre_hook_rotation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    processors = sa.Column("processors", postgresql.ARRAY(sa.Text), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("audits", processors)
    op.add_column("workers", sa.Column("processor", sa.Text))


def downgrade() -> None:
    op.drop_column("workers", "processor")
    op.drop_column("audits", "processors")
