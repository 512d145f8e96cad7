"""The composition root of the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial

from fastapi import Depends, FastAPI
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.gzip import GZipMiddleware

from app import __version__
from app.egress.client import EgressClient
from app.errors import SalienceError
from app.housekeeping.housekeeper import Housekeeper
from app.housekeeping.reconciler import Reconciler
from app.http.authorization import OpenPaths, declared_access
from app.http.failures import install_handlers
from app.http.guards.authentication import Authentication
from app.http.guards.body_guard import BodyGuard
from app.http.guards.compression import COMPRESSED
from app.http.guards.cors import Cors
from app.http.guards.heads import HeadAsGet
from app.http.guards.prefix import PathPrefix
from app.http.guards.request_context import RequestContext, bind_path_ids
from app.http.guards.strict_json import StrictJson
from app.http.guards.validators import Validators
from app.http.openapi.document import install_openapi, operation_id
from app.http.openapi.swagger import router as swagger
from app.http.query import refuse_unknown_parameters
from app.http.two_steps import TwoSteps
from app.imports.importer import Importer
from app.imports.nouns import DATASETS, MODELS
from app.periodic import Periodic
from app.policies.dispatch import dispatch
from app.policies.following import Follower
from app.policies.recurring import recur
from app.policies.sweep import Sweeper
from app.reports.drawing import ReportDrawer
from app.rooms import CONTACT, DESCRIPTION, EXAMPLES, ROUTERS, TAGS
from app.services import Services, make_services
from app.settings import Settings, get_settings
from app.webhooks.courier import Courier

# The framework's spans would stand beside ours (app.observability), with query strings in them.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
DOCUMENT = "/openapi.json"

LATER = (SQLAlchemyError, SalienceError)
"""What costs a thread of the application one turn."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    with ExitStack() as ending:
        services = app.state.services = make_services(settings, ending)
        reconciler = Reconciler(services.engine, services.queue, settings.reconcile_after_seconds)
        courier = Courier(
            services.engine, services.vault, partial(EgressClient.from_settings, settings), settings.public_url
        )
        threads: list[Periodic | Housekeeper] = [
            courier.lanes().periodic(settings.webhook_seconds, LATER),
            reconciler.periodic(settings.reconcile_seconds),
            Housekeeper(services.engine, services.blobs, settings),
            *_registry_threads(services, settings),
        ]
        for thread in threads:
            thread.start()
            ending.callback(thread.stop)
        watching = asyncio.create_task(services.watch.run())
        ending.callback(watching.cancel)
        ending.callback(services.watch.close)
        yield


def _registry_threads(services: Services, settings: Settings) -> list[Periodic]:
    """Imports, and what follows from events: whatever waits for a registry waits here, in no audit's way."""
    engine, vault, queue = services.engine, services.vault, services.queue
    seconds = settings.registry_seconds
    drawer = ReportDrawer(services.renderer, engine, services.blobs, settings, asyncio.get_running_loop())
    return [
        Periodic("dispatcher", partial(dispatch, engine), seconds, LATER),
        Periodic("recurrence", partial(recur, engine), seconds, LATER),
        Importer(MODELS, engine, vault, services.blobs, queue, settings).lanes().periodic(seconds, LATER),
        Importer(DATASETS, engine, vault, services.blobs, queue, settings).lanes().periodic(seconds, LATER),
        Follower(engine, vault, queue, settings, drawer.draw).lanes().periodic(seconds, LATER),
        # Ten times as often as a policy is due: what was missed a tenth later is soon enough.
        Sweeper(engine, vault, settings).lanes().periodic(settings.sweep_seconds / 10, LATER),
    ]


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application; it connects to its parts when it starts."""
    settings = settings or get_settings()
    app = FastAPI(
        title="Salience audit",
        version=__version__,
        description=DESCRIPTION,
        contact=CONTACT,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        openapi_tags=TAGS,
        lifespan=_lifespan,
        redirect_slashes=False,
        openapi_url=DOCUMENT if settings.open_docs else None,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
        generate_unique_id_function=operation_id,
    )
    app.state.settings = settings
    declared = declared_access([*ROUTERS, swagger])
    app.state.two_steps = TwoSteps.of(one.route for one in declared)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(bind_path_ids), Depends(refuse_unknown_parameters)])
    if settings.open_docs:
        app.include_router(swagger)
    install_handlers(app)
    install_openapi(app, declared, EXAMPLES)
    _add_guards(app, settings, OpenPaths.of(declared, settings, document=DOCUMENT))
    return app


def _add_guards(app: FastAPI, settings: Settings, open_paths: OpenPaths) -> None:
    """What every request passes: the last that is added comes first."""
    app.add_middleware(StrictJson, max_bytes=settings.max_json_bytes, two_steps=app.state.two_steps)
    app.add_middleware(Validators)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Authentication, settings=settings, open_paths=open_paths)
    app.add_middleware(BodyGuard, settings=settings)
    app.add_middleware(GZipMiddleware, **COMPRESSED)
    if settings.cors_origins:
        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(PathPrefix, root_path=settings.root_path, proxies=settings.trusted_proxies)
    app.add_middleware(RequestContext)
