"""The service that a client speaks with."""

from pathlib import Path
from typing import Self

from salience_audit.configuration import find_service
from salience_audit.connection import Connection
from salience_audit.retries import Retries


class Service:
    """Open until it is closed. Every call may raise ApiError and Unreachable."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        config: Path | None = None,
        retries: Retries | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        """Without ``url`` and ``api_key``: from the environment, the configuration file, or the service that runs in
        ``data/serve``. ``timeout_seconds`` bounds each wait for bytes. Raises ConfigurationError."""
        self._connection = Connection(find_service(url, api_key, config), retries or Retries(), timeout_seconds)

    @property
    def url(self) -> str:
        """The service's address."""
        return self._connection.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()
