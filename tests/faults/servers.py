"""A Postgres and a broker for faults alone: they are killed, stopped, emptied and started again on their ports."""

import os
import signal
from pathlib import Path

from redis import Redis

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey


class Servers:
    """Both run until `stop`, whatever happens to them in between."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.broker = EmbeddedValkey(folder / "valkey")
        self._postgres = self._start_postgres()
        self._broker = self._start_broker()

    def kill_postgres(self) -> None:
        """SIGKILL of the postmaster: its backends notice and end; nothing is flushed."""
        self._postgres.kill()

    def restart_postgres(self) -> None:
        self._postgres = self._start_postgres()

    def kill_broker(self) -> None:
        """It keeps nothing: started again it is empty."""
        self._broker.kill()

    def restart_broker(self) -> None:
        self._broker = self._start_broker()

    def freeze_broker(self) -> None:
        """It takes connections and answers none."""
        os.kill(self._broker.pid, signal.SIGSTOP)

    def thaw_broker(self) -> None:
        os.kill(self._broker.pid, signal.SIGCONT)

    def empty_broker(self) -> None:
        with Redis.from_url(self.broker.url) as client:
            client.flushall()

    def stop(self) -> None:
        self._broker.stop()
        self._postgres.stop()

    def _start_postgres(self) -> Child:
        return _ready(Child(self.postgres.child(self._folder / "postgres.log")))

    def _start_broker(self) -> Child:
        return _ready(Child(self.broker.child(self._folder / "valkey.log")))


def _ready(child: Child) -> Child:
    child.wait_ready()
    return child
