"""The groups of routes in the order in which a newcomer needs them, for Swagger UI."""

TAGS = [
    {"name": "models", "description": "First: describe a model, then upload its weights."},
    {"name": "data sets", "description": "Second: describe a data set, then upload its archive of images."},
    {"name": "run groups", "description": "Where stability matters: the runs of one training recipe, as one group."},
    {"name": "gates", "description": "Where a release hangs on the numbers: named conditions on them."},
    {"name": "audits", "description": "Start an audit, watch it, read its results and its verdict."},
    {"name": "comparisons", "description": "Audits of the same samples side by side, with paired differences."},
    {"name": "operations", "description": "For whoever runs the service: is it alive, is it ready, its metrics."},
]
