"""The client for addresses that tenants choose: nothing else in this project calls one."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import TracebackType
from typing import Self
from uuid import UUID

import httpcore
import httpx

from app.egress.addresses import AddressGuard
from app.egress.answers import Answer, Begun, Download, headers_of, malformed
from app.egress.calls import Call, headers_to_send
from app.egress.metering import Allowance, Meter, shared_windows
from app.egress.network import Deadline, GuardedNetwork, Pace, Resolve, system_resolve
from app.errors import AddressNotAllowed, EgressFailure
from app.settings import MEBIBYTE, Settings

MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 4 * MEBIBYTE
"""Of an answer that is read whole."""
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Limits:
    """Seconds: of a connection or a pause; of an exchange that is read whole; of one that is fetched, which must also
    keep a pace."""

    pause_seconds: float = 10.0
    call_seconds: float = 15.0
    fetch_seconds: float = 3600.0
    pace: Pace = field(default_factory=Pace)


class EgressClient:
    """For one thread. Proxies, cookies, passwords and authorities of the environment count for nothing here.

    Every method raises AddressNotAllowed, and EgressFailure for whatever else kept an answer from coming.
    """

    def __init__(
        self,
        guard: AddressGuard,
        limits: Limits | None = None,
        *,
        ca_file: str | None = None,
        resolve: Resolve = system_resolve,
        meter: Meter | None = None,
    ) -> None:
        self._guard = guard
        self._limits = limits or Limits()
        self._fetch_seconds = self._limits.fetch_seconds
        self._deadline = Deadline()
        self._meter = meter or Meter(Allowance())
        self._first: Callable[[], None] = lambda: None
        self._pool = httpcore.ConnectionPool(
            ssl_context=_authorities(ca_file),
            network_backend=GuardedNetwork(guard, self._deadline, self._meter, resolve),
            max_connections=4,
            keepalive_expiry=5,
        )

    @classmethod
    def from_settings(cls, settings: Settings, fetch_seconds: float | None = None) -> Self:
        fetch_seconds = fetch_seconds or settings.egress_fetch_seconds
        pace = Pace(settings.min_egress_rate)
        limits = Limits(settings.egress_pause_seconds, settings.egress_call_seconds, fetch_seconds, pace)
        allowance = Allowance(settings.max_tenant_egress_requests, settings.max_tenant_egress_bytes)
        guard = AddressGuard.of(settings.allowed_networks)
        meter = Meter(allowance, shared_windows(settings.broker_url, settings.broker_ca_file))
        return cls(guard, limits, ca_file=settings.egress_ca_file, meter=meter)

    def charge_to(self, tenant_id: UUID) -> None:
        """Whose exchanges the following are: each tenant has so many of them, and of their bytes, in an hour."""
        self._meter.charge_to(tenant_id)

    def call_first(self, first: Callable[[], None]) -> None:
        """Before each exchange; it may raise."""
        self._first = first

    def limit_fetches(self, seconds: float) -> None:
        """Of those that follow each may take so long, where that is less than the client's limit."""
        self._fetch_seconds = min(seconds, self._limits.fetch_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """No exchange may be going on."""
        self._meter.close()
        self._pool.close()

    def deliver(self, call: Call) -> Answer:
        """Status and headers; what the body says interests nobody. A redirect is an answer like any other."""
        self._deadline.start(self._limits.call_seconds)
        with self._exchange(call) as response:
            return Answer(response.status, headers_of(response), b"")

    def send(self, call: Call, most_bytes: int = MAX_ANSWER_BYTES) -> Answer:
        """The whole answer. A redirect is an answer like any other."""
        self._deadline.start(self._limits.call_seconds)
        with self._exchange(call) as response:
            download = Download(response, most_bytes)
            return Answer(download.status, download.headers, b"".join(download.pieces()))

    @contextmanager
    def fetch(self, call: Call, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        """A GET that follows up to five redirects, each checked anew; credentials stay with the host they are for.

        Of a file that was begun what follows is asked for; all of it comes from a server that sends no parts. What
        breaks off goes on where it did, within the same time, where the server says that it is the same file.
        """
        self._deadline.start(self._fetch_seconds, self._limits.pace)
        behind = 0 if begun is None else begun.size
        with ExitStack() as exchange:

            def ask(headers: Mapping[str, str]) -> httpcore.Response:
                exchange.close()
                return exchange.enter_context(self._followed(replace(call, headers={**call.headers, **headers})))

            response = ask({"Range": f"bytes={behind}-"} if behind else {})
            if behind and response.status == 416:  # it is shorter now
                behind, response = 0, ask({})
            yield Download(response, most_bytes, ask, behind)

    @contextmanager
    def _followed(self, call: Call) -> Iterator[httpcore.Response]:
        for _ in range(MAX_REDIRECTS + 1):
            with self._exchange(call) as response:
                location = headers_of(response).get("location")
                if response.status not in _REDIRECTS or location is None:
                    yield response
                    return
            call = self._redirected(call, location)
        raise EgressFailure("too-many-redirects", f"The address redirects more than {MAX_REDIRECTS} times.")

    def _redirected(self, call: Call, location: str) -> Call:
        here = httpx.URL(call.url)
        try:
            there = self._guard.check_url(str(here.join(location)))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise AddressNotAllowed("The address redirects to one that cannot be read.") from error
        if (here.scheme, there.scheme) == ("https", "http"):
            raise AddressNotAllowed("The address redirects from https to http.")
        stays = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
        return Call(call.method, str(there), call.headers, call.credentials if stays else {})

    @contextmanager
    def _exchange(self, call: Call) -> Iterator[httpcore.Response]:
        url = self._guard.check_url(call.url)
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        self._first()
        pause = self._limits.pause_seconds
        waits = dict.fromkeys(("connect", "read", "write", "pool"), pause)
        self._meter.request()
        with (
            _failures_told(),
            self._pool.stream(
                call.method,
                target,
                headers=headers_to_send(call, url.netloc),
                content=call.content,
                extensions={"timeout": waits},
            ) as response,
        ):
            yield response


@lru_cache(maxsize=2)
def _authorities(ca_file: str | None) -> ssl.SSLContext:
    """Reading the system's takes a tenth of a second."""
    return ssl.create_default_context(cafile=ca_file)


@contextmanager
def _failures_told() -> Iterator[None]:
    """The library's errors as ours: they quote nothing of what was sent or came back."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise EgressFailure("answer-too-slow", "The address does not answer in time.", passing=True) from error
    except httpcore.NetworkError as error:
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args):
            detail = "The address shows a certificate that is not trusted, or that is another host's."
            raise EgressFailure("certificate-not-trusted", detail) from error
        raise EgressFailure("address-unreachable", "The address cannot be reached.", passing=True) from error
    except httpcore.ProtocolError as error:
        raise malformed("it is no HTTP") from error
