"""Who is audited, as results name them: models and map sets."""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

OfSubject = Annotated[
    str,
    Field(
        description="What gave the maps, within the audit: of the leading CAM method the model's id, else the id and "
        "the method. Absent in results of earlier versions, in which it is the model's id."
    ),
]
OfPairing = Annotated[str | None, Field(description="As in `models` and `map_sets`; null of a pairing.")]


class AuditedModel(TypedDict):
    """A model of the audit; where it asked for several CAM methods, a model under one of them."""

    model_id: str
    subject: NotRequired[OfSubject]
    method: NotRequired[Annotated[str, Field(description="The CAM method that made its maps.")]]
    name: str
    digest: str | None
    fidelity: NotRequired[
        Annotated[
            dict[str, Any] | None,
            Field(description="How predictions of its owner's own code agreed when the audit ended; null without any."),
        ]
    ]


class AuditedMapSet(TypedDict):
    """A map set of the audit; ``view@2`` of agreement is of the second of them."""

    map_set_id: str
    subject: Annotated[str, Field(description="As summaries and scores name it.")]
    name: str
    kind: str
    digest: str | None
    views: list[str]
