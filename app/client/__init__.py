"""The API's Python client: ``from app.client import Client``. It needs neither the server's packages nor torch."""

from app.client.client import Client
from app.client.connection import Retries
from app.client.errors import ClientError
from app.client.events import Event

__all__ = ["Client", "ClientError", "Event", "Retries"]
