"""Imports that are due are found without looking at all that were."""

import sqlalchemy as sa
from alembic import op

revision = "0026_pre_due_imports"
down_revision = "0025_pre_registries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    due = sa.text("next_at IS NOT NULL")
    op.create_index("ix_model_imports_due", "model_imports", ["next_at"], postgresql_where=due)


def downgrade() -> None:
    op.drop_index("ix_model_imports_due")
