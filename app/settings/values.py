"""Forms that several settings have."""

import ipaddress
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3

Item = TypeVar("Item")


def _items(value: Any) -> Any:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _are_networks(value: frozenset[str]) -> frozenset[str]:
    for network in value:
        ipaddress.ip_network(network)
    return value


Several = Annotated[frozenset[Item], NoDecode, BeforeValidator(_items)]
"""Separated by commas."""
Networks = Annotated[Several[str], AfterValidator(_are_networks)]
"""Addresses, or networks as 10.0.0.0/8."""
