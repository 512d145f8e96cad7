"""What is known of a model and who said it; which tensors of its file are meant."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0013_descriptions_of_models"
down_revision = "0012_audit_minutes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("models", sa.Column("weights_key", sa.Text(), nullable=True))
    op.add_column("models", sa.Column("ignore_tensors", ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("models", sa.Column("description", JSONB(), server_default="{}", nullable=False))


def downgrade() -> None:
    for column in ("description", "ignore_tensors", "weights_key"):
        op.drop_column("models", column)
