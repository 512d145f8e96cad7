"""How often an import only let others go first, which is no attempt at it."""

import sqlalchemy as sa
from alembic import op

revision = "0046_pre_turns_of_imports"
down_revision = "0045_pre_kept_by_hooks"
branch_labels = None
depends_on = None

IMPORTS = ("model_imports", "dataset_imports")


def upgrade() -> None:
    for table in IMPORTS:
        op.add_column(table, sa.Column("turns", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for table in IMPORTS:
        op.drop_column(table, "turns")
