"""Which registry a connection leads to, with which credentials, and which folders a tenant may name."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from app.access.vault import Vault
from app.db.tables import ConnectionRow
from app.domain.vocabulary import ConnectionKind
from app.egress.client import EgressClient
from app.registries.base import Registry
from app.registries.folder import FolderRegistry
from app.registries.hub import HubRegistry
from app.registries.mlflow import MlflowRegistry
from app.registries.oci import OciRegistry
from app.registries.s3 import S3Registry
from app.registries.web import WebFolder
from app.settings import Settings

KINDS: dict[ConnectionKind, Callable[[EgressClient, str, Mapping[str, str]], Registry]] = {
    ConnectionKind.MLFLOW: MlflowRegistry,
    ConnectionKind.HUGGINGFACE: HubRegistry,
    ConnectionKind.HTTP: WebFolder,
    ConnectionKind.S3: S3Registry,
    ConnectionKind.OCI: OciRegistry,
}


def can(kind: ConnectionKind, capability: type) -> bool:
    """Whether registries of the kind have it: one of the protocols that can be looked up (`app.registries.base`)."""
    made = KINDS[kind]
    return isinstance(made, type) and issubclass(made, capability)


def registry_of(row: ConnectionRow, vault: Vault, client: EgressClient) -> Registry:
    """Over a client whose exchanges are then the tenant's. Raises Unavailable where its secret cannot be opened."""
    client.charge_to(row.tenant_id)
    kind, plain = ConnectionKind(row.kind), _plain(row, vault)
    return KINDS[kind](client, row.url, plain if kind is ConnectionKind.S3 else _headers(plain))


@contextmanager
def connected(row: ConnectionRow, vault: Vault, settings: Settings) -> Iterator[Registry]:
    """The same over a client of its own. It may take long to answer: no transaction may be open meanwhile."""
    with EgressClient.from_settings(settings) as client:
        yield registry_of(row, vault, client)


def folders_of(tenant_id: UUID, settings: Settings) -> FolderRegistry:
    """The operator's folders that the tenant may name."""
    return FolderRegistry([root.replace("{tenant_id}", str(tenant_id)) for root in settings.import_roots])


def _plain(row: ConnectionRow, vault: Vault) -> dict[str, str]:
    plain: dict[str, str] = {} if row.secret is None else json.loads(vault.open(row.secret))
    return plain


def _headers(plain: Mapping[str, str]) -> dict[str, str]:
    if not plain:
        return {}
    if "token" in plain:
        return {"Authorization": f"Bearer {plain['token']}"}
    pair = f"{plain['username']}:{plain['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
