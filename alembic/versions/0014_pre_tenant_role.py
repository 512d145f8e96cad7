"""The role that tenants' transactions act as, told by the database itself.

Roles belong to the cluster: where two services' users share one, they cannot both act as the same role.
"""

from alembic import op

revision = "0014_pre_tenant_role"
down_revision = "0013_descriptions_of_models"
branch_labels = None
depends_on = None

ROLE = "salience_audit_tenant"


def upgrade() -> None:
    # The role's name is replaced by that of this database's own role where it has one: app/db/tenant_role.py.
    told = f"LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '{ROLE}'::text $$"
    op.execute(f"CREATE FUNCTION tenant_role() RETURNS text {told}")


def downgrade() -> None:
    op.execute("DROP FUNCTION tenant_role()")
