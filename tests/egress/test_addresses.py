"""Addresses that somebody hostile would choose, against a server that listens where nobody may call."""

import ipaddress

import pytest

from app.egress.addresses import AddressGuard, is_public
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import AddressNotAllowed, EgressFailure
from tests.egress.callers import CLOSED, MOST, OPEN, QUICK
from tests.egress.hosts import SECRET, Host

REFUSED_HOSTS = [
    "127.0.0.2", "127.1", "127.0.2", "2130706434", "0177.0.0.2", "0x7f000002", "0x7f.0.0.2", "0X7F.2", "017700000002",
    "127.0.0.2.", "127.00.0.2", "127.0.0.02", "1.2.3.4.5", "256.256.256.256", "0", "0.0.0.0", "00000177.1",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.169.254", "168.63.129.16",
    "192.0.0.192", "100.100.100.200", "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.2]", "[64:ff9b::127.0.0.2]",
    "[64:ff9b::7f00:2]",
    "[64:ff9b:1::a00:1]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[2002:7f00:2::]",
    "[2001:0:7f00:2::1]", "[2001:db8::1]", "[::ffff:0:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:2]",
    "closed.test", "both.test", "mapped.test", "nat64.test", "private.test", "metadata.test", "zero.test", "six.test",
    "scoped.test", "user@open.test", "user:password@open.test", "open.test@127.0.0.2", "open.test%20", "①②⑦.⓪.⓪.②",
    "open.test\\@127.0.0.2", "open.test ", "", "%31%32%37.0.0.2", "127。0。0。2",
]  # fmt: skip


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_host_is_refused_before_a_connection(host: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    _, closed = hosts
    with pytest.raises(AddressNotAllowed) as refused:
        client.send(Call("GET", f"http://{host}:{closed.port}/"))
    assert refused.value.code == "address-not-allowed"
    assert not closed.connections


@pytest.mark.parametrize(
    "url",
    [
        "ftp://open.test/", "file:///etc/passwd", "gopher://open.test/", "data:text/plain,x", "//open.test/",
        "open.test", "unix:///run/docker.sock", "javascript:alert(1)", "http:open.test", "http://open.test:0/",
        "http://open.test:99999/",
        "http://[::1", "http://open.test/\r\nHost: other", "http://open.test/" + "x" * 3000, "dict://127.0.0.2:11211/stat",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str, client: EgressClient) -> None:
    with pytest.raises(AddressNotAllowed):
        client.send(Call("GET", url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:{port}/", "//127.0.0.2:{port}/", "http://closed.test:{port}/", "http://2130706434:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/", "http://user@open.test:{port}/", "file:///etc/passwd", "ftp://open.test/",
        "http://169.254.169.254/latest/meta-data/", "http://both.test:{port}/", "http://[", "http://0177.0.0.2:{port}/",
    ],
)  # fmt: skip
def test_redirect_is_checked_anew(status: int, target: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    allowed, closed = hosts
    to = target.format(port=closed.port)
    url = f"http://open.test:{allowed.port}/redirect?status={status}&to={to}"
    with pytest.raises(AddressNotAllowed), client.fetch(Call("GET", url), MOST):
        pass
    assert not closed.connections


def test_a_name_is_looked_up_once_a_connection(hosts: tuple[Host, Host]) -> None:
    """Rebinding: the second look-up would say something else, and nobody asks."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return [OPEN] if len(asked) == 1 else [CLOSED]

    allowed, closed = hosts
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), QUICK, resolve=rebinding) as client:
        assert client.send(Call("GET", f"http://name.test:{allowed.port}/")).body == SECRET
        assert len(asked) == 1
        there = f"http://other.test:{closed.port}/"
        with (
            pytest.raises(AddressNotAllowed),
            client.fetch(Call("GET", f"http://name.test:{allowed.port}/redirect?to={there}"), MOST),
        ):
            pass
    assert not closed.connections


@pytest.mark.parametrize("name", ["none.test", "unknown.test"])
def test_name_without_address(name: str, client: EgressClient) -> None:
    with pytest.raises(EgressFailure, match="address-not-found"):
        client.send(Call("GET", f"http://{name}/"))


def test_nobody_listens(client: EgressClient) -> None:
    with pytest.raises(EgressFailure, match="address-unreachable") as failed:
        client.send(Call("GET", f"http://{OPEN}:1/"))
    assert failed.value.passing


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    AddressGuard().check_address(address)
    assert AddressGuard().check_url(f"https://{f'[{address}]' if ':' in address else address}/x#part").fragment == ""


def test_public_is_what_the_registries_say() -> None:
    """Every eighth part of IPv4 but loopback, private and the upper one holds public addresses."""
    assert [first for first in range(256) if not is_public(ipaddress.ip_address(f"{first}.7.1.1"))] == [
        0, 10, 127, *range(224, 256),
    ]  # fmt: skip
