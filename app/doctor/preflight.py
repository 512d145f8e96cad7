"""Before a part starts: faults of its addresses that waiting does not mend. What is only away, it waits for itself."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.broker import Broker
from app.db.faults import is_final, told
from app.db.session import make_engine
from app.errors import SalienceError
from app.settings import Settings


def check_addresses(settings: Settings) -> None:
    """Raises SalienceError with one sentence: no address, a wrong password, TLS that one side does not speak."""
    Broker.read(settings.broker_url, settings.broker_ca_file).check()
    try:
        engine = make_engine(settings.database_url)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        if is_final(error):
            raise SalienceError("database-unavailable", told(error)) from error
