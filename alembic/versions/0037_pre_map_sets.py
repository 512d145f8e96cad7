"""Map sets, their maps, and the map sets of audits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0037_pre_map_sets"
down_revision = "0036_pre_view_archives"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"
DEFAULT_TENANT = "00000000-0000-7000-8000-000000000001"
SETTING = "NULLIF(current_setting('app.tenant', true), '')::uuid"
OWNER = sa.text(f"COALESCE({SETTING}, '{DEFAULT_TENANT}'::uuid)")
OWN = f"tenant_id = (SELECT {SETTING})"
OF_AUDIT = "EXISTS (SELECT FROM audits WHERE audits.id = audit_map_sets.audit_id)"
POLICIES = {"map_sets": OWN, "maps": OWN, "audit_map_sets": OF_AUDIT}
NOTHING = sa.text("'{}'")


def upgrade() -> None:
    _map_sets()
    _maps()
    op.create_table(
        "audit_map_sets",
        sa.Column("audit_id", sa.Uuid(), sa.ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ordinal", sa.Integer(), primary_key=True),
        sa.Column("map_set_id", sa.Uuid(), sa.ForeignKey("map_sets.id", ondelete="RESTRICT"), nullable=False),
    )
    op.create_index("ix_audit_map_sets_map_set_id", "audit_map_sets", ["map_set_id"])
    for table, seen in POLICIES.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenants_apart ON {table} USING (current_user <> '{ROLE}' OR {seen})")


def _map_sets() -> None:
    now = sa.func.now()
    tenant = sa.ForeignKey("tenants.id", ondelete="RESTRICT")
    op.create_table(
        "map_sets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Uuid(), tenant, server_default=OWNER, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("tags", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("aliases", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("extra", JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("content_digest", sa.Text(), nullable=True),
        sa.Column("content_size", sa.BigInteger(), nullable=True),
        sa.Column("stored_digest", sa.Text(), nullable=True),
        sa.Column("dataset_id", sa.Uuid(), sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sigma", sa.Double(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("map_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unreadable_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("largest_cells", sa.Integer(), server_default="0", nullable=False),
        sa.Column("has_fixations", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("views", ARRAY(sa.Text()), server_default=NOTHING, nullable=False),
        sa.Column("notes", ARRAY(sa.Text()), server_default=NOTHING, nullable=False),
    )
    op.create_index("ix_map_sets_tenant", "map_sets", ["tenant_id", "id"])
    op.create_index("ix_map_sets_dataset_id", "map_sets", ["dataset_id"])


def _maps() -> None:
    op.create_table(
        "maps",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Uuid(), server_default=OWNER, nullable=False),
        sa.Column("map_set_id", sa.Uuid(), sa.ForeignKey("map_sets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sample_id", sa.Uuid(), sa.ForeignKey("samples.id", ondelete="CASCADE"), nullable=True),
        sa.Column("view", sa.Text(), server_default="clean", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("problem", JSONB(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("fixations", ARRAY(sa.Double()), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column("stored_size", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("compression", sa.SmallInteger(), nullable=True),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_maps_map_set", "maps", ["map_set_id", "id"])
    op.create_index("ix_maps_sample", "maps", ["sample_id", "map_set_id", "view"])


def downgrade() -> None:
    for table in ("audit_map_sets", "maps", "map_sets"):
        op.drop_table(table)
