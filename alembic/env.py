"""Alembic's entry: takes the caller's connection, or makes one from DATABASE_URL."""

from alembic import context
from sqlalchemy import Connection

from app.db.session import make_engine
from app.db.tables import Base
from app.settings import get_settings


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = make_engine(get_settings().database_url)
    with engine.connect() as own:
        migrate(own)
        own.commit()
    engine.dispose()
