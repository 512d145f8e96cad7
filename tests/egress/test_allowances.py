"""A tenant has so many requests and bytes, over all processes; another one has its own."""

from uuid import UUID, uuid4

import pytest

from app.broker import Broker
from app.egress.addresses import AddressGuard
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.egress.metering import LOCAL, WINDOW_SECONDS, Allowance, Meter
from app.embedded.ports import free_port
from app.errors import EgressFailure
from app.windows import SharedWindows, Windows
from tests.egress.callers import OPEN, QUICK, resolve
from tests.egress.hosts import Host


def metered(allowance: Allowance, tenant_id: UUID, windows: Windows = LOCAL) -> EgressClient:
    guard = AddressGuard.of([f"{OPEN}/32"])
    client = EgressClient(guard, QUICK, resolve=resolve, meter=Meter(allowance, windows))
    client.charge_to(tenant_id)
    return client


def test_a_tenant_has_so_many_requests(hosts: tuple[Host, Host]) -> None:
    """Over whichever of its clients; the next one is never sent, and another tenant's is."""
    url, first, second = f"http://{OPEN}:{hosts[0].port}/", uuid4(), uuid4()
    few = Allowance(requests=3)
    with metered(few, first) as one, metered(few, first) as two, metered(few, second) as other:
        assert [client.send(Call("GET", url)).status for client in (one, two, one, other)] == [200] * 4
        hosts[0].visits.clear()
        with pytest.raises(EgressFailure, match="egress-limit-reached") as failed:
            two.send(Call("GET", url))
        assert failed.value.passing
        assert hosts[0].visits == []
        assert other.send(Call("GET", url)).ok


def test_a_tenant_has_so_many_bytes(hosts: tuple[Host, Host]) -> None:
    """An answer is cut where it goes beyond them."""
    tenant_id = uuid4()
    with metered(Allowance(moved=200_000), tenant_id) as client:
        call = Call("GET", f"http://{OPEN}:{hosts[0].port}/endless")
        with pytest.raises(EgressFailure, match="egress-limit-reached"), client.fetch(call, 10**9) as download:
            for _ in download.pieces():
                pass
        with pytest.raises(EgressFailure, match="egress-limit-reached"):
            client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/"))


def counts(broker_url: str) -> SharedWindows:
    """As another process has them."""
    return SharedWindows(Broker.read(broker_url), "egress", WINDOW_SECONDS, patience_seconds=5)


def test_processes_count_together(hosts: tuple[Host, Host], broker_url: str) -> None:
    """Each has connections of its own to the broker; what is sent counts as what is received does."""
    tenant_id, (first, second, third) = uuid4(), (counts(broker_url) for _ in range(3))
    url, content = f"http://{OPEN}:{hosts[0].port}/", bytes(70_000)
    for process in (first, second):
        with metered(Allowance(moved=200_000), tenant_id, process) as client:
            assert client.send(Call("POST", url, content=content)).ok
    with metered(Allowance(moved=200_000), tenant_id, third) as client:
        assert client.send(Call("GET", url)).ok
        with pytest.raises(EgressFailure, match="egress-limit-reached"):
            client.send(Call("POST", url, content=content))


def test_without_a_broker_each_process_counts(hosts: tuple[Host, Host]) -> None:
    tenant_id, process = uuid4(), counts(f"redis://127.0.0.1:{free_port()}/0")
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/")
    with metered(Allowance(requests=2), tenant_id, process) as client:
        assert [client.send(call).status for _ in range(2)] == [200, 200]
        with pytest.raises(EgressFailure, match="egress-limit-reached"):
            client.send(call)
