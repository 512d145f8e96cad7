"""Which addresses may be called: public ones, and those of networks that the operator names."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from app.domain.problems.service import ADDRESS_NOT_PUBLIC
from app.errors import AddressNotAllowed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL_CHARACTERS = 2048
SCHEMES = ("http", "https")

_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is routed; mapped, NAT64, link-local, unique local and multicast addresses lie outside."""
_SPECIAL = [
    ipaddress.ip_network(block)
    for block in (
        "192.0.0.0/24",  # protocol assignments, among them a cloud's metadata
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # a cloud's metadata at an address that looks public
        "2001::/23",  # Teredo and other protocols
        "2002::/16",  # 6to4: an IPv4 address within
    )
]
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_NUMERIC_LABEL = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(frozen=True)
class AddressGuard:
    """Says no by raising AddressNotAllowed; ``allowed`` are an operator's exceptions."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> "AddressGuard":
        return cls(tuple(ipaddress.ip_network(network) for network in sorted(networks)))

    def check_address(self, text: str) -> None:
        """One address that a name stands for, or that stands for itself. Raises AddressNotAllowed."""
        address = ipaddress.ip_address(text)
        if not is_public(address) and not any(address in network for network in self.allowed):
            raise AddressNotAllowed(ADDRESS_NOT_PUBLIC)

    def check_url(self, text: str) -> httpx.URL:
        """The address as it will be called; names are looked up only then. Raises AddressNotAllowed."""
        url = _parsed(text)
        if url.scheme not in SCHEMES:
            raise AddressNotAllowed("Only http and https addresses are called.")
        if url.userinfo:
            raise AddressNotAllowed("An address must not hold a user or a password.")
        if url.port is not None and not 0 < url.port < 65_536:
            raise AddressNotAllowed("The address has no port that could be called.")
        host = url.raw_host.decode("ascii")
        if is_literal(host):
            self.check_address(host)
        elif not _HOST_NAME.fullmatch(host) or _ends_in_a_number(host):
            raise AddressNotAllowed("The host is neither a name nor an address in its usual form.")
        return url.copy_with(fragment=None)


def is_public(address: Address) -> bool:
    """Whether anybody may be reached there: neither reserved nor another address in disguise."""
    if any(address in block for block in _SPECIAL) or address.is_multicast or not address.is_global:
        return False
    return address.version == 4 or (address in _UNICAST and address.scope_id is None)


def is_literal(host: str) -> bool:
    """Whether it is an address, written as usual."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> httpx.URL:
    if len(text) > MAX_URL_CHARACTERS or any(character.isspace() or character == "\\" for character in text):
        raise AddressNotAllowed("The address is too long, or has characters that no address has.")
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressNotAllowed("The address cannot be read as a URL.") from error


def _ends_in_a_number(host: str) -> bool:
    """``2130706433``, ``0177.0.0.1``, ``0x7f.1``: what a resolver would read as an IPv4 address all the same."""
    return _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None
