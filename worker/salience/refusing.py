"""What is said where a network is none for a method."""

from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.refusals.use import METHOD_NOT_POSSIBLE
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure


def not_possible(method: CamMethod) -> InputFailure:
    """Where no probe told so before."""
    free = tuple(other for other, spec in CAM_METHODS.items() if spec.refused is None)
    why = CAM_METHODS[method].refused
    return METHOD_NOT_POSSIBLE.failure(method=method, model="this network", why=why, possible=free)
