"""The rooms that the API is made of, in the order in which a newcomer needs them: routes, their groups, examples."""

from typing import Final

from fastapi import APIRouter

from app.audits import examples as audit_examples
from app.audits import results_examples
from app.audits.changed_images.routes import router as changed_images
from app.audits.following.routes import router as audit_events
from app.audits.publishing.findings import router as findings
from app.audits.publishing.routes import router as publishing
from app.audits.publishing.verdicts import router as verdicts
from app.audits.rescoring.routes import router as rescoring
from app.audits.routes import router as audits
from app.audits.scores.routes import router as audit_samples
from app.comparisons import examples as comparison_examples
from app.comparisons.routes import router as comparisons
from app.connections import examples as connections_examples
from app.connections.routes import router as connections
from app.datasets import examples as dataset_examples
from app.datasets.routes import router as datasets
from app.datasets.sample_routes import router as dataset_samples
from app.gates import examples as gate_examples
from app.gates.routes import router as gates
from app.history import examples as history_examples
from app.history.routes import router as history
from app.hooks import examples as hooks_examples
from app.hooks.routes import router as hooks
from app.http.health import router as health
from app.http.openapi.example_form import RouteExamples
from app.map_sets import examples as map_set_examples
from app.map_sets.routes import router as map_sets
from app.metrics import examples as operation_examples
from app.metrics.routes import router as metrics
from app.models import examples as model_examples
from app.models.routes import router as models
from app.policies import examples as policies_examples
from app.policies.routes import router as policies
from app.reports import examples as report_examples
from app.reports.link_routes import router as report_links
from app.reports.routes import router as reports
from app.run_groups import examples as run_group_examples
from app.run_groups.routes import router as run_groups
from app.webhooks import examples as webhook_examples
from app.webhooks.routes import router as webhooks
from app.workers import examples as worker_examples
from app.workers.routes import router as workers

CONTACT = {"name": "Whoever runs this service"}
DESCRIPTION = """
Tells, for an image classifier and a data set, whether what the model looks at can be trusted.

1. Register a **model** and upload its weights; register a **data set** and upload its archive.
2. Group the runs of one recipe in a **run group**, if stability across runs matters.
3. Start an **audit**, poll it, and read its **results**: entropy, noise reaction, geometric resilience, degradation,
   stability.
4. Compare audits of the same samples in a **comparison**; let a **gate** say whether an audit's numbers will do.
"""

TAGS: Final = [
    {"name": "models", "description": "First: describe a model, then upload its weights."},
    {"name": "data sets", "description": "Second: describe a data set, then upload its archive of images."},
    {"name": "map sets", "description": "Maps from elsewhere: drawn by people, of their gaze, or of another tool."},
    {"name": "run groups", "description": "Where stability matters: the runs of one training recipe, as one group."},
    {"name": "gates", "description": "Where a release hangs on the numbers: named conditions on them."},
    {"name": "audits", "description": "Start an audit, watch it, read its results and its verdict."},
    {"name": "comparisons", "description": "Audits of the same samples side by side, with paired differences."},
    {"name": "webhooks", "description": "Be told instead of polling: events, signed and delivered at least once."},
    {"name": "registries", "description": "Where models come from a registry: connections, hooks, policies."},
    {"name": "operations", "description": "For whoever runs the service: is it alive, is it ready, its metrics."},
]

ROUTERS: Final[tuple[APIRouter, ...]] = (
    models,
    datasets,
    dataset_samples,
    map_sets,
    run_groups,
    gates,
    audits,
    audit_samples,
    audit_events,
    verdicts,
    findings,
    rescoring,
    changed_images,
    publishing,
    comparisons,
    history,
    reports,
    report_links,
    webhooks,
    connections,
    hooks,
    policies,
    workers,
    health,
    metrics,
)

EXAMPLES: Final[dict[str, RouteExamples]] = {
    route: examples
    for room in (
        model_examples,
        dataset_examples,
        map_set_examples,
        run_group_examples,
        worker_examples,
        gate_examples,
        audit_examples,
        results_examples,
        comparison_examples,
        history_examples,
        report_examples,
        webhook_examples,
        connections_examples,
        hooks_examples,
        policies_examples,
        operation_examples,
    )
    for route, examples in room.ROUTES.items()
}
"""By method and path."""
