"""Which of a model's layers a name means, and which is taken without one."""

from torch import nn

from app.errors import InputFailure
from worker.salience.families import layer_as_written
from worker.salience.traced_layers import Layer
from worker.salience.tracing import Trace


def resolve_layer(module: nn.Module, traced: Trace, wanted: str | None) -> Layer:
    """The layer that a name means; without one, that of the network's family, else the tensor that the last pooling
    takes. Raises InputFailure ``target-layer-not-found`` with the candidates.
    """
    if wanted is not None:
        wanted = layer_as_written(module, wanted)
    if wanted is None and traced.family_layer is not None:
        return _family_layer(traced, traced.family_layer)
    if traced.collapse_layer is not None and wanted in {None, traced.collapse_layer.name}:
        return traced.collapse_layer
    if wanted is None:
        raise layer_not_found("The model has no feature map that enters global pooling or flattening.", traced)
    for layer in traced.layers:
        if layer.name == wanted:
            return layer
    raise layer_not_found(f"The model has no layer {wanted[:200]!r} with a feature map.", traced)


def _family_layer(traced: Trace, name: str) -> Layer:
    """As the operations show it, where they agree with the table."""
    for layer in traced.layers:
        if layer.name == name and layer.layout in traced.family_layouts:
            return layer
    raise layer_not_found(f"Networks of this family are explained at {name}, but no feature map is seen there.", traced)


def layer_not_found(what: str, traced: Trace) -> InputFailure:
    names = ", ".join(layer.name for layer in traced.layers[-12:]) or "none"
    return InputFailure("target-layer-not-found", f"{what} Candidates (the last ones): {names}.")
