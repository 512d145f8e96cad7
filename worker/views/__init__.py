"""Views: changes of the images and the way back for maps. A new family is a file here and a line below."""

from collections.abc import Iterable

from app.domain.measures import view_families
from app.domain.views.deformations import DEFORMATIONS
from app.domain.views.families import ORDERS, family_of
from app.domain.views.moves import MOVES
from worker.views.base import MakeView, View, ViewSetting
from worker.views.cells import cell_view
from worker.views.deformed import deformed_view
from worker.views.degradation import degradation_view
from worker.views.filled import filled_view, rest_view
from worker.views.geometry import geometric_view
from worker.views.moved import moved_view
from worker.views.noise import noise_view

__all__ = ["VIEWS", "View", "ViewSetting", "make_views"]

VIEWS: dict[str, MakeView] = {
    "noise": noise_view,
    "geometry": geometric_view,
    "cells": cell_view,
    **dict.fromkeys(ORDERS, filled_view),
    "rest": rest_view,
    "degradation": degradation_view,
    **dict.fromkeys(DEFORMATIONS, deformed_view),
    **dict.fromkeys(MOVES, moved_view),
}
"""By family, as `app.domain.views.families` and the measures' pages name them."""


def make_views(names: Iterable[str], setting: ViewSetting) -> dict[str, View]:
    """The views of these names, in that order. Raises KeyError where a name belongs to no family."""
    families = view_families()
    found = {name: family_of(name, families) for name in names}
    return {name: VIEWS[family.name if family else name](name, setting) for name, family in found.items()}
