"""What routes ask for; made once by the lifespan, handed out here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, TypeVar

from anyio import CancelScope, to_thread
from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.access.key_ring import Caller
from app.access.vault import Vault
from app.db.session import TenantEngine
from app.db.tables import DEFAULT_TENANT
from app.domain.problems.service import OVERLOADED
from app.egress.addresses import AddressGuard
from app.http.outward import Outward
from app.queue import TaskQueue
from app.settings import Settings
from app.sources.contents import Contents
from app.sources.reading import Patience
from app.storage.blobs import BlobStore

SESSIONS = 24
"""Fewer than the pool has connections, and fewer than there are threads for routes."""
WAIT_SECONDS = 30.0
READ_SECONDS = 30.0
"""That a request waits for a source of a tenant's, in all; the last try may begin at their end."""

Result = TypeVar("Result")


async def _tenant(request: Request) -> TenantEngine:
    """Of the key that the request came with."""
    caller: Caller = request.state.caller
    return TenantEngine(request.app.state.services.engine, caller.tenant_id)


TenantDep = Annotated[TenantEngine, Depends(_tenant)]


async def _session(request: Request, tenant: TenantDep) -> AsyncIterator[Session]:
    """The tenant's. Never commits: a route that writes does so in plain sight, before it answers.

    Requests wait for a slot here, off the threads: those that waited in a thread for a connection would keep
    the threads from those that have one and need a thread to give it back.
    """
    async with _limited(request, tenant.session) as session:
        yield session


async def _service_session(request: Request) -> AsyncIterator[Session]:
    """Across tenants: for the few routes that tell of the whole service."""
    engine: Engine = request.app.state.services.engine
    async with _limited(request, partial(Session, engine, expire_on_commit=False)) as session:
        yield session


async def _own_tenant_session(request: Request) -> AsyncIterator[Session]:
    """The first tenant's, for requests that come without a key and try what others do."""
    engine: Engine = request.app.state.services.engine
    async with _limited(request, TenantEngine(engine, DEFAULT_TENANT).session) as session:
        yield session


@asynccontextmanager
async def _limited(request: Request, make_session: Callable[[], Session]) -> AsyncIterator[Session]:
    slots: asyncio.Semaphore = request.app.state.services.session_limit
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await slots.acquire()
    except TimeoutError as error:
        raise OVERLOADED.error(what="requests") from error
    session = make_session()
    try:
        yield session
    finally:
        try:
            with CancelScope(shield=True):
                await to_thread.run_sync(session.close)
        finally:
            slots.release()


class BriefSession:
    """For routes that go on for long afterwards: the session, and its slot, are given back before they do."""

    def __init__(self, request: Request, tenant: TenantEngine) -> None:
        self._request = request
        self._tenant = tenant

    async def ask(self, question: Callable[[Session], Result]) -> Result:
        """Its answer, read in a thread. Rows stay as they were read."""
        async with _limited(self._request, self._tenant.session) as session:
            return await to_thread.run_sync(question, session)


async def _brief_session(request: Request, tenant: TenantDep) -> BriefSession:
    return BriefSession(request, tenant)


async def _outward(request: Request) -> Outward:
    outward: Outward = request.app.state.services.outward
    return outward


def _queue(request: Request) -> TaskQueue:
    queue: TaskQueue = request.app.state.services.queue
    return queue


def _blobs(request: Request) -> BlobStore:
    blobs: BlobStore = request.app.state.services.blobs
    return blobs


def _contents(request: Request, tenant: TenantDep) -> Contents:
    settings: Settings = request.app.state.settings
    return Contents(tenant, request.app.state.services.blobs, settings, Patience(READ_SECONDS))


def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.services.vault
    return vault


def _guard(request: Request) -> AddressGuard:
    settings: Settings = request.app.state.settings
    return AddressGuard.of(settings.allowed_networks)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


# Given back before the answer is sent: a slow reader must not hold a connection.
SessionDep = Annotated[Session, Depends(_session, scope="function")]
ServiceSessionDep = Annotated[Session, Depends(_service_session, scope="function")]
OwnTenantSessionDep = Annotated[Session, Depends(_own_tenant_session, scope="function")]
BriefSessionDep = Annotated[BriefSession, Depends(_brief_session)]
OutwardDep = Annotated[Outward, Depends(_outward)]
QueueDep = Annotated[TaskQueue, Depends(_queue)]
GuardDep = Annotated[AddressGuard, Depends(_guard)]
VaultDep = Annotated[Vault, Depends(_vault)]
BlobsDep = Annotated[BlobStore, Depends(_blobs)]
ContentsDep = Annotated[Contents, Depends(_contents)]
SettingsDep = Annotated[Settings, Depends(_settings)]
