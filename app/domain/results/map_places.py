"""Where maps lie, by group of samples and by cluster."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.domain.results.subjects import OfSubject


class MapGroup(TypedDict):
    """The maps of one model over one group of samples: means over them, and the map of means and of spread."""

    group_by: Annotated[str, Field(description="`total`, `label`, `predicted`, `source`, `split` or `prediction`.")]
    group: str
    n: int
    n_undefined: int
    mean_map: NotRequired[list[list[float]]]
    spread_map: NotRequired[list[list[float]]]
    entropy: NotRequired[float | None]
    border_share: NotRequired[
        Annotated[float | None, Field(description="Share of the salience in the outer ring of cells.")]
    ]
    border_ratio: NotRequired[
        Annotated[float | None, Field(description="That share over the ring's share of the area.")]
    ]
    centre_down: NotRequired[Annotated[float | None, Field(description="Centre of mass; 0.5 is the middle.")]]
    centre_right: NotRequired[float | None]
    fixedness: NotRequired[
        Annotated[
            float | None,
            Field(description="Mean correlation of a map with the mean of the others of its predicted class."),
        ]
    ]


class MapCluster(TypedDict):
    """One kind of maps within a class."""

    share: float
    mean_map: list[list[float]]
    samples: NotRequired[Annotated[list[str], Field(description="Ids of a few, drawn by the audit's seed.")]]


class MapClusters(TypedDict):
    """The kinds of maps within a predicted class; null where two halves do not show the same."""

    predicted: str
    n: Annotated[int, Field(description="Maps that were clustered, drawn by the audit's seed.")]
    clusters: list[MapCluster] | None
    agreement: Annotated[float | None, Field(description="Adjusted Rand index of two halves' clusters.")]
    note: str | None
    samples: NotRequired[
        Annotated[list[str], Field(description="Ids of a few of the class, drawn by the audit's seed.")]
    ]


class MapPlaces(TypedDict):
    """Where maps lie."""

    cells: Annotated[list[int], Field(description="Height and width of its maps.")]
    border_area: float
    groups: list[MapGroup]
    clusters: list[MapClusters]


class WhereMapsLie(MapPlaces):
    """Of one model."""

    model_id: str
    subject: NotRequired[OfSubject]
