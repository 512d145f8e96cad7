"""Addresses and answers that somebody hostile would choose, against servers that listen where nobody may call."""

import ast
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.broker import Broker
from app.egress.addresses import AddressGuard, is_public
from app.egress.client import Call, EgressClient, Limits
from app.egress.metering import LOCAL, Allowance, Counts, Meter, SharedCounts
from app.egress.network import Pace
from app.embedded.ports import free_port
from app.errors import AddressNotAllowed, EgressFailure
from tests.broker.certificates import make_certificates
from tests.egress.hosts import FILE, SECRET, Host, serving

ROOT = Path(__file__).parents[2]
OPEN, CLOSED = "127.0.0.1", "127.0.0.2"
"""Both are loopback; the operator allows the first, which stands for a public host."""
QUICK = Limits(pause_seconds=0.6, call_seconds=0.8, fetch_seconds=0.8)
MOST = 1_000_000


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """One that may be called, and one that may not."""
    with ExitStack() as ending:
        made = (Host(OPEN), Host(CLOSED))
        for host in made:
            ending.enter_context(serving(host))
        yield made


@pytest.fixture
def client() -> Iterator[EgressClient]:
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), QUICK, resolve=_resolve) as made:
        yield made


NAMES = {
    "open.test": [OPEN],
    "closed.test": [CLOSED],
    "both.test": [OPEN, CLOSED],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "private.test": ["10.1.2.3"],
    "metadata.test": ["169.254.169.254"],
    "zero.test": ["0.0.0.0"],
    "six.test": ["::1"],
    "scoped.test": ["fe80::1%1"],
    "none.test": [],
}


def _resolve(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise OSError(f"no such host as {host}:{port}")
    return NAMES[host]


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


def test_five_redirects_are_followed_and_six_are_not(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    here = f"http://{OPEN}:{hosts[0].port}/around?left="
    with client.fetch(Call("GET", f"{here}5"), MOST) as download:
        assert b"".join(download.pieces()) == SECRET
    with pytest.raises(EgressFailure, match="too-many-redirects"), client.fetch(Call("GET", f"{here}6"), MOST):
        pass


def test_calls_and_deliveries_follow_no_redirect(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    url = f"http://{OPEN}:{hosts[0].port}/redirect?to=http://{CLOSED}:{hosts[1].port}/"
    assert client.send(Call("GET", url)).status == 302
    delivered = client.deliver(Call("POST", url, {"Content-Type": "text/plain"}, content=b"{}"))
    assert (delivered.status, delivered.ok, delivered.body) == (302, False, b"")


@pytest.mark.parametrize("host", [OPEN, "open.test"])
def test_credentials_stay_with_their_host(host: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    allowed, _ = hosts
    allowed.visits.clear()
    call = Call(
        "GET",
        f"http://{OPEN}:{allowed.port}/redirect?to=http://{host}:{allowed.port}/",
        credentials={"Authorization": "Bearer planted"},
    )
    with client.fetch(call, MOST) as download:
        assert download.status == 200
    assert [("authorization" in headers) for _, headers in allowed.visits] == [True, host == OPEN]


@pytest.mark.parametrize("token", ["t\N{LATIN SMALL LETTER O WITH DIAERESIS}k", "two\r\nlines", "nul\0", "\ud800"])
def test_what_no_header_can_hold_is_not_sent(token: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    before = hosts[0].connections
    url = f"http://{OPEN}:{hosts[0].port}/"
    for call in (
        Call("GET", url, credentials={"Authorization": f"Bearer {token}"}),
        Call("GET", url, headers={"If-Match": token}),
    ):
        with pytest.raises(EgressFailure, match="request-not-sendable") as failed:
            client.send(call)
        assert not failed.value.passing
    assert hosts[0].connections == before


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


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("says-huge", "answer-too-large"),
        ("endless", "answer-too-large"),
        ("trickle", "answer-too-slow"),
        ("silent", "answer-too-slow"),
        ("endless-headers", "answer-malformed"),
        ("endless-informing", "answer-too-slow"),
        ("no-http", "answer-malformed"),
        ("cut-off", "answer-malformed"),
        ("compressed", "answer-malformed"),
    ],
)
def test_bad_answer_is_cut(path: str, code: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    with pytest.raises(EgressFailure) as failed:
        client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/{path}"), most_bytes=MOST)
    assert failed.value.code == code
    assert client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/")).body == SECRET


def test_what_breaks_off_goes_on_where_it_did(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    hosts[0].visits.clear()
    call = Call("GET", f'http://{OPEN}:{hosts[0].port}/breaks-off?tag="one"', credentials={"Authorization": "Bearer x"})
    with client.fetch(call, MOST) as download:
        assert b"".join(download.pieces()) == FILE
    asked = [headers.get("range") for _, headers in hosts[0].visits]
    assert asked[0] is None
    assert len(asked) == 4
    assert len(set(asked)) == 4
    assert all("authorization" in headers for _, headers in hosts[0].visits)


@pytest.mark.parametrize("query", ['tag=W/"one"', 'tag="one"&then="two"', "tag="])
def test_another_file_is_not_gone_on_with(query: str, client: EgressClient, hosts: tuple[Host, Host]) -> None:
    """A tag that says "much alike", one that changed meanwhile, none."""
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/breaks-off?{query}")
    with pytest.raises(EgressFailure, match="answer-malformed") as failed, client.fetch(call, MOST) as download:
        for _ in download.pieces():
            pass
    assert failed.value.passing
    assert client.send(Call("GET", f"http://{OPEN}:{hosts[0].port}/")).body == SECRET


def test_all_redirects_have_one_deadline(client: EgressClient, hosts: tuple[Host, Host]) -> None:
    """Five of a quarter of a second, in 0.8 seconds."""
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/slow?left=5")
    with pytest.raises(EgressFailure, match="answer-too-slow"), client.fetch(call, MOST):
        pass


@pytest.mark.parametrize(("least", "comes"), [(2_000, True), (20_000, False), (0, True)])
def test_a_fetch_keeps_a_pace(least: int, *, comes: bool, hosts: tuple[Host, Host]) -> None:
    """Of some 5,000 bytes a second."""
    limits = Limits(pause_seconds=2, fetch_seconds=10, pace=Pace(least, over_seconds=0.4))
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/slow")
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), limits) as client, client.fetch(call, MOST) as download:
        if comes:
            assert sum(map(len, download.pieces())) == 6_000
            return
        with pytest.raises(EgressFailure, match="answer-too-slow") as failed:
            list(download.pieces())
        assert failed.value.passing


def test_our_own_time_is_not_the_senders(hosts: tuple[Host, Host]) -> None:
    """Whoever takes long over each piece of what came at once does not make the sender slow."""
    limits = Limits(pause_seconds=2, fetch_seconds=10, pace=Pace(1_000_000, over_seconds=0.2))
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/")
    with EgressClient(AddressGuard.of([f"{OPEN}/32"]), limits) as client, client.fetch(call, MOST) as download:
        for _ in download.pieces():
            time.sleep(0.3)


@pytest.mark.parametrize("name", ["none.test", "unknown.test"])
def test_name_without_address(name: str, client: EgressClient) -> None:
    with pytest.raises(EgressFailure, match="address-not-found"):
        client.send(Call("GET", f"http://{name}/"))


def test_nobody_listens(client: EgressClient) -> None:
    with pytest.raises(EgressFailure, match="address-unreachable") as failed:
        client.send(Call("GET", f"http://{OPEN}:1/"))
    assert failed.value.passing


def test_environment_and_cookies_count_for_nothing(
    monkeypatch: pytest.MonkeyPatch, client: EgressClient, hosts: tuple[Host, Host]
) -> None:
    allowed, closed = hosts
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, f"http://{CLOSED}:{closed.port}")
    allowed.visits.clear()
    for path in ("cookie", ""):
        assert client.send(Call("GET", f"http://{OPEN}:{allowed.port}/{path}")).ok
    assert "cookie" not in allowed.visits[1][1]
    assert not closed.connections


def metered(allowance: Allowance, tenant_id: UUID, counts: Counts = LOCAL) -> EgressClient:
    guard = AddressGuard.of([f"{OPEN}/32"])
    client = EgressClient(guard, QUICK, resolve=_resolve, meter=Meter(allowance, counts))
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


def test_processes_count_together(hosts: tuple[Host, Host], broker_url: str) -> None:
    """Each has connections of its own to the broker; what is sent counts as what is received does."""
    tenant_id, broker = uuid4(), Broker.read(broker_url)
    url, content = f"http://{OPEN}:{hosts[0].port}/", bytes(70_000)
    for process in (SharedCounts(broker), SharedCounts(broker)):
        with metered(Allowance(moved=200_000), tenant_id, process) as client:
            assert client.send(Call("POST", url, content=content)).ok
    with metered(Allowance(moved=200_000), tenant_id, SharedCounts(broker)) as client:
        assert client.send(Call("GET", url)).ok
        with pytest.raises(EgressFailure, match="egress-limit-reached"):
            client.send(Call("POST", url, content=content))


def test_without_a_broker_each_process_counts(hosts: tuple[Host, Host]) -> None:
    tenant_id, counts = uuid4(), SharedCounts(Broker.read(f"redis://127.0.0.1:{free_port()}/0"))
    call = Call("GET", f"http://{OPEN}:{hosts[0].port}/")
    with metered(Allowance(requests=2), tenant_id, counts) as client:
        assert [client.send(call).status for _ in range(2)] == [200, 200]
        with pytest.raises(EgressFailure, match="egress-limit-reached"):
            client.send(call)


@pytest.mark.parametrize(("name", "trusted"), [("right.test", True), ("wrong.test", False)])
def test_certificate_is_verified_for_the_name(name: str, *, trusted: bool, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, "right.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    server = Host(OPEN)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    guard = AddressGuard.of([f"{OPEN}/32"])
    authority = str(certificates.authority)
    with serving(server), EgressClient(guard, QUICK, ca_file=authority, resolve=lambda *_: [OPEN]) as client:
        call = Call("GET", f"https://{name}:{server.port}/")
        if trusted:
            assert client.send(call).body == SECRET
        else:
            with pytest.raises(EgressFailure, match="certificate-not-trusted"):
                client.send(call)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    AddressGuard().check_address(address)
    assert AddressGuard().check_url(f"https://{f'[{address}]' if ':' in address else address}/x#part").fragment == ""


def test_public_is_what_the_registries_say() -> None:
    """Every eighth part of IPv4 but loopback, private and the upper one holds public addresses."""
    import ipaddress

    assert [first for first in range(256) if not is_public(ipaddress.ip_address(f"{first}.7.1.1"))] == [
        0, 10, 127, *range(224, 256),
    ]  # fmt: skip


CLIENTS = {"aiobotocore", "aiohttp", "anyio.connect_tcp", "asyncio.open_connection", "asyncssh", "boto3", "botocore",
           "datasets", "fsspec", "ftplib", "gcsfs", "grpc", "http.client", "httpcore", "httpx", "huggingface_hub",
           "imaplib", "minio", "mlflow", "nntplib", "oras", "paramiko", "poplib", "pycurl", "requests", "s3fs",
           "smart_open", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "torch.hub", "urllib.request",
           "urllib3", "webdataset", "websocket", "websockets", "xmlrpc.client"}  # fmt: skip
WHOLE = {"http", "urllib", "xmlrpc"}
"""Packages that hold a client: who imports them whole could call it."""
CALLING = {"connect_tcp", "create_connection", "create_unix_connection", "from_pretrained", "getaddrinfo",
           "hf_hub_download", "load_state_dict_from_url", "open_connection", "snapshot_download", "sock_connect",
           "urlopen", "urlretrieve"}  # fmt: skip
"""Functions and methods of any library that call addresses, or load what they do not find here."""
HARMLESS = {
    ("app/http/negotiation.py", "urllib.request.parse_http_list"),
    ("worker/weights/transformers_networks.py", "huggingface_hub.errors.StrictDataclassError"),
    # This machine's name, the type of a listening socket, a free port, whether a process of ours listens there.
    ("app/doctor/this_worker.py", "socket"),
    ("app/http/server.py", "socket"),
    ("app/embedded/ports.py", "socket"),
    ("app/embedded/ports.py", "connect_ex()"),
    ("worker/lifecycle/celery_app.py", "socket"),
    ("worker/lifecycle/celery_app.py", "connect()"),  # of Celery's signals
    # Pairs of sockets between the worker and its children, which may make none themselves.
    *((f"worker/supervision/{page}.py", "socket") for page in ("forkserver", "inputs", "process")),
    *((f"worker/child/{page}.py", "socket") for page in ("decoders", "forkserver", "inputs", "main")),
    *((f"worker/wire/{page}.py", "socket") for page in ("channel", "ranges")),
}
"""A parser of headers, an error of a config, and sockets that lead to nobody else."""


def test_nothing_else_calls_addresses() -> None:
    """In app/ and worker/: the Python client is a package of its own, the operator's blob store has its library."""
    files = [path for room in ("app", "worker") for path in (ROOT / room).rglob("*.py")]
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        for name in _calling(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {place for place, _ in found - HARMLESS} == {
        f"app/egress/{page}.py" for page in ("addresses", "answers", "client", "network")
    }


@pytest.mark.parametrize(
    "source",
    [
        "import socket", "from socket import create_connection", "import ssl", "import urllib", "import http",
        "import urllib.request as r", "from urllib import request", "from http import client", "import xmlrpc",
        "from asyncio import open_connection", "asyncio.open_connection(host, 80)", "loop.create_connection(p)",
        "anyio.connect_tcp(host, 80)", "timm.create_model(name, pretrained=True)", "build(name, pretrained=wanted)",
        "Model.from_pretrained(name)", "from huggingface_hub import hf_hub_download", "import torch.hub",
        "torch.hub.load_state_dict_from_url(url)",
    ],
)  # fmt: skip
def test_a_way_around_is_found(source: str) -> None:
    assert list(_calling(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["from urllib.parse import quote", "from http import HTTPStatus", "timm.create_model(name, pretrained=False)"],
)
def test_what_calls_nobody_is_not(source: str) -> None:
    assert not list(_calling(ast.parse(source)))


def _calling(tree: ast.Module) -> Iterator[str]:
    """What is imported or called there that could call an address."""
    imported = set(_imported(tree))
    calling = CALLING | ({"connect", "connect_ex"} if "socket" in imported else set())
    for name in imported:
        if name in WHOLE or any(name == client or name.startswith(f"{client}.") for client in CLIENTS):
            yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called in calling:
                yield f"{called}()"
            if any(one.arg == "pretrained" and getattr(one.value, "value", None) is not False for one in node.keywords):
                yield "pretrained="


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
