"""Deliveries while nobody else is there, and more of them than there may be."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from app.db.session import transaction
from app.db.tables import HookDeliveryRow
from app.embedded.ports import free_port
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from tests.api.hook_events import EVENT, make_hook, signed
from tests.api.running_api import Api

Json = dict[str, Any]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Child]]:
    """That tests stop and kill, and its address."""
    folder = tmp_path_factory.mktemp("broker")
    server = EmbeddedValkey(folder)
    child = Child(server.child(folder / "log"))
    child.wait_ready()
    yield server.url, child
    child.kill()


@pytest.fixture(scope="module")
def lonely_api(start_api: Callable[..., Api], broker: tuple[str, Child]) -> Api:
    """Without a worker, a registry and, soon, a broker; five requests a window of each hook."""
    limits = {"RATE_LIMIT_HOOK": "5", "RATE_WINDOW_SECONDS": "600", "ALLOWED_NETWORKS": "127.0.0.1/32"}
    keys = Fernet.generate_key().decode()
    return start_api(broker[0], ENCRYPTION_KEYS=keys, REGISTRY_SECONDS="3600", **limits)


@pytest.mark.parametrize("broker_is", ["stopped, and answers nobody", "killed"])
def test_nobody_else_is_there_and_a_flood(lonely_api: Api, broker: tuple[str, Child], broker_is: str) -> None:
    """A delivery is kept within a second, and one that is no JSON refused; the sixth of a hook is too many."""
    hook = make_hook(lonely_api)
    os.kill(broker[1].pid, signal.SIGKILL if broker_is == "killed" else signal.SIGSTOP)
    path = f"/v1/hooks/{hook['id']}/deliveries"
    bodies = [json.dumps(EVENT | {"id": f"flood {number}"}).encode() for number in range(4)]
    bodies.insert(1, b"[" * 1_000_000)
    answers, beside = [], []
    for body in [*bodies, bodies[0], bodies[0]]:
        answers.append(lonely_api.client.post(path, content=body, headers=signed(body)))
        beside.append(lonely_api.client.get("/livez", headers={"Authorization": ""}))
    assert [answer.status_code for answer in answers] == [202, 400, 202, 202, 202, 202, 429]
    slowest, busy = (max(answer.elapsed.total_seconds() for answer in some) for some in (answers, beside))
    # A machine that is busy with other tests slows what waits for nobody as well.
    assert slowest < 1 + busy, f"the slowest of {len(answers)} took {slowest:.2f} s, beside {busy:.2f} s"
    with transaction(lonely_api.engine) as session:
        of_hook = select(HookDeliveryRow).where(HookDeliveryRow.hook_id == UUID(hook["id"]))
        assert len(session.scalars(of_hook).all()) == 4


def test_only_what_proves_itself_counts_for_the_tenant(start_api: Callable[..., Api]) -> None:
    """Of its five requests two make the hook; whoever knows the hook's address uses none of the others up."""
    limits = {"RATE_LIMIT_TENANT": "5", "RATE_WINDOW_SECONDS": "600"}
    nobody = f"redis://127.0.0.1:{free_port()}/0"  # a broker that others use counts their requests too
    limited = start_api(nobody, ENCRYPTION_KEYS=Fernet.generate_key().decode(), **limits)
    path = f"/v1/hooks/{make_hook(limited)['id']}/deliveries"
    codes = []
    for number in range(4):
        body = json.dumps(EVENT | {"id": f"one {number}"}).encode()
        both = [signed(body, "another secret of ours"), signed(body)]
        codes.append([limited.client.post(path, content=body, headers=headers).status_code for headers in both])
    assert codes == [[401, 202]] * 3 + [[401, 429]]
