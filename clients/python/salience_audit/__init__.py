"""Client of the salience audit service: ``from salience_audit import Client``. It needs httpx alone."""

from salience_audit.client import Client
from salience_audit.errors import ClientError
from salience_audit.events import Event
from salience_audit.pictures import Picture
from salience_audit.results import Compared, Results
from salience_audit.retries import Retries

__all__ = ["Client", "ClientError", "Compared", "Event", "Picture", "Results", "Retries"]
