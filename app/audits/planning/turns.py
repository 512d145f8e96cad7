"""Quarter turns, which only square inputs have: an audit of others goes without them, and says so."""

from collections.abc import Sequence

from app.db.tables import MapSetRow, ModelRow
from app.domain.models.input_size import Size, size_of
from app.domain.problems import planning
from app.domain.protocol import Protocol


def with_views_that_exist(protocol: Protocol, models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]) -> Protocol:
    """Without quarter turns where one model's input is not square: all subjects of an audit have the same views.

    Raises Unprocessable ``no-view-exists`` where a measure is left without any.
    """
    squares = all(size_of(model.preprocessing["input_size"]).is_square for model in models)
    squares &= all(Size(*one.input_size).is_square for one in map_sets if one.input_size is not None)
    fitting = protocol if squares else protocol.without_turns()
    for spec, settings in fitting.measures.computed():
        if not spec.is_pairing and not spec.columns(settings):
            raise planning.NO_VIEW_EXISTS.error(measure=spec.title)
    return fitting


def notes_on_turns(
    asked: Protocol, planned: Protocol, models: Sequence[ModelRow], map_sets: Sequence[MapSetRow]
) -> list[str]:
    """What was left out of what was asked for."""
    if asked.has_turns == planned.has_turns:
        return []
    sizes = {model.name: size_of(model.preprocessing["input_size"]) for model in models}
    sizes |= {one.name: Size(*one.input_size) for one in map_sets if one.input_size is not None}
    named = ", ".join(f"{name} ({size})" for name, size in sizes.items() if not size.is_square)
    others = "" if len(sizes) == 1 else ", for all alike"
    note = (
        f"Inputs that are not square have no quarter turns: {named}. The views rotate_90_cw and rotate_90_ccw are left "
        f"out{others}; `all` is the mean over the transformations that exist."
    )
    return [note]
