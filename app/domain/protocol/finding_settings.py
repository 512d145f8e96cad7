"""The thresholds of findings: a part of the protocol, so that a finding says by which rule it was made."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

HARMLESS_VIEWS = (
    "flip_horizontal",
    "cells_1_left",
    "cells_1_right",
    "cells_1_up",
    "cells_1_down",
    "shift_left",
    "shift_right",
    "shift_up",
    "shift_down",
    "shift_up_left",
    "shift_up_right",
    "shift_down_left",
    "shift_down_right",
)
"""What a label should not care about, unless it is a letter, a digit or a side."""


class FindingSettings(BaseModel):
    """When a number is a sign of a shortcut. Each default lies between the planted cheats and the honest networks of
    docs/measures.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    harmless_views: Annotated[tuple[str, ...], Field(max_length=64)] = HARMLESS_VIEWS
    """Views under which accuracy should stay. Leave out a flip where labels are not the same in a mirror."""
    accuracy_fall: Share = 0.2
    """The largest fall of accuracy under one of them."""
    border_ratio: Ratio = 1.3
    """Salience in the outer ring of cells over the ring's share of the area."""
    fixedness: Share = 0.85
    """Mean correlation of a class's maps with the mean of the others, above which they lie at one place."""
    off_centre: Share = 0.12
    """How far from the middle such a place has to be, in sides of the image: objects are often in the middle."""
    focus_difference: Share = 0.12
    """Of two classes' mean spatial entropy."""
    focus_border_ratio: Ratio = 0.5
    """What the focused one's border ratio has to be: a class that is focused in the middle may show an object."""
    sufficient_share: Share = 0.02
    """The largest share of the image that is suspiciously enough for nine in ten predictions."""
    arrangement_left: Share = 0.65
    """Of the accuracy above chance, what may be left when the image's cells change places."""
    colour_fall: Share = 0.3
    """The largest fall of accuracy when colours are gone."""
    detail_fall: Share = 0.3
    """The largest fall of accuracy under a blur of a pixel in 224. Raise it where fine detail is what is asked for, as
    of images that a network made."""
    same_map: Share = 0.9
    """Mean similarity above which maps are one map: of a class's maps with their mean, of an image's maps for two
    classes."""
    above_control: Share = 0.05
    """How far above its control a stability has to lie to tell more than what all images' maps have in common."""
    method_tau: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.5
    """The least Kendall's tau of models' ranks under two CAM methods."""
    least_samples: Annotated[int, Field(ge=2, le=1_000_000)] = 20
    """Groups with fewer samples give no finding."""


LATER = ("detail_fall", "same_map", "above_control", "method_tau")
"""Thresholds that protocols of versions before do not name: nor does the digest of one in which nobody set them."""
FORMER_DEFAULTS = (FindingSettings(arrangement_left=0.6),)
"""Of versions before: a protocol in which nobody set a threshold stays the same one."""
