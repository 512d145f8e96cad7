"""An API of its own with keys of several tenants, made as an operator makes them."""

import os
import subprocess
from collections.abc import Callable
from functools import partial

import pytest

from tests import forked
from tests.api.running_api import Api
from tests.keys import make_key as new_key

Keys = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def guarded(start_shared_api: Callable[..., Api], broker_url: str) -> Api:
    return start_shared_api(broker_url.rpartition("/")[0] + "/5", RECONCILE_SECONDS="3600")


@pytest.fixture(scope="session")
def keys(guarded: Api) -> Keys:
    """``salience-audit keys ...`` against the API's database."""

    def command(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        url = guarded.engine.url.render_as_string(hide_password=False)
        environment = os.environ | {"DATABASE_URL": url} | settings
        return forked.run(("keys", *arguments), environment)

    return command


@pytest.fixture(scope="session")
def make_key(guarded: Api) -> Callable[..., str]:
    """For a tenant and scopes."""
    return partial(new_key, guarded.engine)
