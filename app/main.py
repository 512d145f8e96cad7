"""The composition root of the API."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig

from app import __version__
from app.access.key_ring import KeyRing
from app.access.rate_limits import RateLimiter
from app.access.service import Mint
from app.audits.following.partial import PartialResults
from app.audits.following.watch import AuditWatch
from app.db.session import make_engine
from app.housekeeping.housekeeper import Housekeeper
from app.housekeeping.reconciler import Reconciler
from app.http.dependencies import SESSIONS
from app.http.guards.authentication import Authentication
from app.http.guards.body_guard import BodyGuard
from app.http.guards.request_context import RequestContext, bind_path_ids
from app.http.guards.strict_json import StrictJson
from app.http.openapi.document import install_openapi, operation_id
from app.http.openapi.swagger import router as swagger
from app.http.problems import install_handlers
from app.http.streams import Streams
from app.observability.tracing import start_tracing, stop_tracing
from app.queue import TaskQueue
from app.reports.press import Press
from app.rooms import DESCRIPTION, EXAMPLES, ROUTERS, TAGS
from app.settings import Settings, get_settings
from app.storage.blobs import BlobStore

# The framework's spans would stand beside ours (app.observability), with query strings in them.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    start_tracing(settings, "api")
    app.state.engine = make_engine(settings.database_url)
    entrance = ThreadPoolExecutor(1, thread_name_prefix="entrance")
    app.state.key_ring = KeyRing(app.state.engine, Mint.of(settings), entrance)
    app.state.rate_limiter = RateLimiter(entrance, settings)
    app.state.session_turns = asyncio.Semaphore(SESSIONS)
    app.state.streams = Streams()
    app.state.queue = TaskQueue(settings.broker_url, settings.broker_ca_file)
    app.state.watch = AuditWatch(app.state.engine, settings.watch_seconds, settings.watch_heartbeat_seconds)
    watching = asyncio.create_task(app.state.watch.run())
    app.state.press = Press()
    app.state.partial_results = PartialResults(settings.max_partial_samples)
    app.state.blobs = BlobStore.from_settings(settings)
    reconciler = Reconciler(
        app.state.engine, app.state.queue, settings.reconcile_seconds, settings.reconcile_after_seconds
    )
    reconciler.start()
    housekeeper = Housekeeper(app.state.engine, app.state.blobs, settings)
    housekeeper.start()
    yield
    app.state.watch.close()
    watching.cancel()
    housekeeper.stop()
    reconciler.stop()
    app.state.partial_results.close()
    entrance.shutdown(wait=False, cancel_futures=True)
    app.state.rate_limiter.close()
    app.state.queue.close()
    app.state.engine.dispose()
    stop_tracing()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application; it connects to its parts when it starts."""
    settings = settings or get_settings()
    app = FastAPI(
        title="Salience audit",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        redirect_slashes=False,
        openapi_url="/openapi.json" if settings.open_docs else None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        generate_unique_id_function=operation_id,
    )
    app.state.settings = settings
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(bind_path_ids)])
    if settings.open_docs:
        app.include_router(swagger)
    install_handlers(app)
    install_openapi(app, EXAMPLES)
    app.add_middleware(StrictJson, max_bytes=app.state.settings.max_json_bytes)
    app.add_middleware(Authentication, settings=app.state.settings)
    app.add_middleware(BodyGuard, settings=app.state.settings)
    app.add_middleware(RequestContext)
    return app
