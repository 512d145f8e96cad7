"""Client of the salience audit service: ``from salience_audit import Client``. It needs httpx alone."""

from salience_audit.client import Client
from salience_audit.connection import Retries
from salience_audit.errors import ClientError
from salience_audit.events import Event
from salience_audit.pictures import Picture
from salience_audit.results import Compared, Results

__all__ = ["Client", "ClientError", "Compared", "Event", "Picture", "Results", "Retries"]
