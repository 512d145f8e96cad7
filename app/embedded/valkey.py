"""A Valkey server as broker. It keeps nothing: the broker only wakes workers, and Postgres is the truth."""

import os
import secrets
import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from app.embedded.binaries import valkey_binary
from app.embedded.ports import free_port
from app.embedded.process import ChildSpec


class EmbeddedValkey:
    """``folder`` holds its configuration, readable by its owner alone since the password is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._password = secrets.token_hex(24)
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def child(self, log: Path) -> ChildSpec:
        return ChildSpec(
            name="valkey",
            command=(str(valkey_binary()), str(self._write_configuration())),
            log=log,
            ready=self._ready,
            orphan_signal=signal.SIGTERM,
        )

    def _write_configuration(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "valkey.conf"
        file.unlink(missing_ok=True)
        lines = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self._password,
            "dir": f'"{self._folder}"',
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
        }
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.writelines(f"{name} {value}\n" for name, value in lines.items())
        return file

    def _ready(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False
