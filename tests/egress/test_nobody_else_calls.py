"""Whatever calls an address is app.egress: of the code itself, what it imports and calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
