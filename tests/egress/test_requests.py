"""What is sent where: credentials to their host alone, nothing of the environment, to nobody without a certificate."""

import ssl
from pathlib import Path

import pytest

from app.egress.addresses import AddressGuard
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import EgressFailure
from tests.broker.certificates import make_certificates
from tests.egress.callers import CLOSED, MOST, OPEN, QUICK
from tests.egress.hosts import SECRET, Host, serving


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
