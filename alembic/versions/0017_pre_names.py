"""Versions, aliases, tags and descriptions of what people name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017_pre_names"
down_revision = "0016_data_sets"
branch_labels = None
depends_on = None

VERSIONED = ("models", "datasets", "gates")
DESCRIBED = (*VERSIONED, "run_groups", "audits", "comparisons")


def upgrade() -> None:
    for table in DESCRIBED:
        op.add_column(table, sa.Column("about", sa.Text(), nullable=True))
        op.add_column(table, _list("tags"))
    for table in ("gates", "run_groups", "audits", "comparisons"):
        op.add_column(table, sa.Column("extra", postgresql.JSONB(), server_default="{}", nullable=False))
    for table in VERSIONED:
        op.add_column(table, _list("aliases"))
        if table != "models":
            op.add_column(table, sa.Column("version", sa.Text(), nullable=True))
        # In the order in which they were made; a version that somebody gave is left as it is.
        op.execute(
            f"UPDATE {table} SET version = numbered.place::text FROM (SELECT id, row_number() OVER "
            f"(PARTITION BY tenant_id, name ORDER BY id) AS place FROM {table}) AS numbered "
            f"WHERE {table}.id = numbered.id AND {table}.version IS NULL"
        )


def downgrade() -> None:
    for table in VERSIONED:
        if table != "models":
            op.drop_column(table, "version")
        op.drop_column(table, "aliases")
    for table in ("gates", "run_groups", "audits", "comparisons"):
        op.drop_column(table, "extra")
    for table in DESCRIBED:
        op.drop_column(table, "tags")
        op.drop_column(table, "about")


def _list(name: str) -> sa.Column:
    return sa.Column(name, postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
