"""Blocks that `make test` does not run: a page and how the block begins, and why."""

NOT_RUN = {
    ("README.md", "make demo"): "takes minutes; the end-to-end tests audit the same networks",
    ("README.md", "make serve"): "the service of the tests stands in for it",
    ("docs/tutorial.md", "make serve"): "the service of the tests stands in for it",
    ("docs/keys-and-tenants.md", "docker compose run"): "needs Docker and the images",
    ("docs/measures.md", ".venv/bin/python examples/shortcuts"): "trains for half an hour",
    ("docs/paper.md", ".venv/bin/python -m examples.paper"): "minutes; make integration runs its smallest form",
    ("docs/scaling.md", ".venv/bin/python -m benchmarks"): "simulates for minutes",
}

ELSEWHERE = {"docs/keras.md": "tests/docs/test_keras.py runs it with the frameworks (make integration)"}
"""Pages of which `make test` runs nothing."""
