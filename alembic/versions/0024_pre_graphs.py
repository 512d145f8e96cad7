"""ONNX graphs: models that name no architecture."""

from alembic import op

revision = "0024_pre_graphs"
down_revision = "0023_pre_model_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("models", "architecture", nullable=True)


def downgrade() -> None:
    op.execute("UPDATE models SET architecture = '' WHERE architecture IS NULL")
    op.alter_column("models", "architecture", nullable=False)
