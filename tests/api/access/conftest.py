"""An API of its own with keys of several tenants, made as an operator makes them."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.api.running_api import Api

Keys = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def guarded(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url.rpartition("/")[0] + "/5", RECONCILE_SECONDS="3600")


@pytest.fixture(scope="session")
def keys(guarded: Api) -> Keys:
    """``salience-audit keys ...`` against the API's database."""

    def command(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        url = guarded.engine.url.render_as_string(hide_password=False)
        environment = os.environ | {"DATABASE_URL": url} | settings
        full = [sys.executable, "-m", "app.cli", "keys", *arguments]
        return subprocess.run(full, env=environment, capture_output=True, text=True, check=False)

    return command


@pytest.fixture(scope="session")
def make_key(keys: Keys) -> Callable[..., str]:
    def make(tenant: str, *scopes: str, **options: str) -> str:
        chosen = [part for scope in scopes or ("audit:write",) for part in ("--scope", scope)]
        more = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        made = keys("create", "--tenant", tenant, *chosen, *more)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    return make
