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
from app.audits.event_routes import router as audit_events
from app.audits.partial import PartialResults
from app.audits.publishing import router as publishing
from app.audits.reconciler import Reconciler
from app.audits.routes import router as audits
from app.audits.sample_routes import router as audit_samples
from app.audits.verdicts import router as verdicts
from app.audits.watch import AuditWatch
from app.comparisons.routes import router as comparisons
from app.datasets.routes import router as datasets
from app.db.session import make_engine
from app.gates.routes import router as gates
from app.housekeeping.housekeeper import Housekeeper
from app.http.authentication import Authentication
from app.http.body_guard import BodyGuard
from app.http.dependencies import SESSIONS
from app.http.health import router as health
from app.http.openapi import install_openapi, operation_id
from app.http.problems import install_handlers
from app.http.request_context import RequestContext, bind_path_ids
from app.http.streams import Streams
from app.http.strict_json import StrictJson
from app.http.swagger import router as swagger
from app.http.tags import TAGS
from app.metrics.routes import router as metrics
from app.models.routes import router as models
from app.observability.tracing import start_tracing, stop_tracing
from app.queue import TaskQueue
from app.reports.link_routes import router as report_links
from app.reports.press import Press
from app.reports.routes import router as reports
from app.run_groups.routes import router as run_groups
from app.settings import Settings, get_settings
from app.storage.blobs import BlobStore

# The framework's spans would stand beside ours (app.observability), with query strings in them.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

DESCRIPTION = """
Tells, for an image classifier and a data set, whether what the model looks at can be trusted.

1. Register a **model** and upload its weights; register a **data set** and upload its archive.
2. Group the runs of one recipe in a **run group**, if stability across runs matters.
3. Start an **audit**, poll it, and read its **results**: entropy, noise reaction, geometric resilience, degradation,
   stability.
4. Compare audits of the same samples in a **comparison**; let a **gate** say whether an audit's numbers will do.
"""


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
    app.state.queue = TaskQueue(settings.broker_url)
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
    rooms = (
        models,
        datasets,
        run_groups,
        gates,
        audits,
        audit_samples,
        audit_events,
        verdicts,
        publishing,
        comparisons,
        reports,
        report_links,
        health,
        metrics,
    )
    for router in rooms:
        app.include_router(router, dependencies=[Depends(bind_path_ids)])
    if settings.open_docs:
        app.include_router(swagger)
    install_handlers(app)
    install_openapi(app)
    app.add_middleware(StrictJson, max_bytes=app.state.settings.max_json_bytes)
    app.add_middleware(Authentication, settings=app.state.settings)
    app.add_middleware(BodyGuard, settings=app.state.settings)
    app.add_middleware(RequestContext)
    return app
