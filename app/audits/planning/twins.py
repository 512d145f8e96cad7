"""Random twins, which only networks with weights beside them have: an audit of graphs goes without, and says so."""

from collections.abc import Sequence

from app.db.tables import ModelRow
from app.domain.measures import SANITY
from app.domain.problems import planning
from app.domain.protocol import Protocol
from app.domain.vocabulary import ModelFormat


def have_twins(models: Sequence[ModelRow], *, is_asked_for: bool) -> bool:
    """A graph has its weights within itself. Raises Unprocessable where somebody asked for its twin by name."""
    graphs = _graphs(models)
    if graphs and is_asked_for:
        named = ", ".join(str(model.id) for model in graphs)
        raise planning.SANITY_NEEDS_WEIGHTS.error(ids=named)
    return not graphs


def notes_on_twins(asked: Protocol, planned: Protocol, models: Sequence[ModelRow]) -> list[str]:
    """What was left out of what a preset asks for."""
    if SANITY.settings_in(asked.measures) == SANITY.settings_in(planned.measures):
        return []
    named = ", ".join(model.name for model in _graphs(models))
    note = (
        f"No random twin: the weights of an ONNX graph are within it, and cannot be drawn anew ({named}). What these "
        "numbers would be had nothing been learnt is not known."
    )
    return [note]


def _graphs(models: Sequence[ModelRow]) -> list[ModelRow]:
    return [model for model in models if model.format == ModelFormat.ONNX]
