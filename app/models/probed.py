"""What a worker found in a model's weights."""

from typing import Any

from pydantic import BaseModel, Field, model_validator

from app.domain.vocabulary import CamMethod, DeviceClass, Layout


class CandidateLayer(BaseModel):
    """A layer whose output is a feature map."""

    name: str
    channels: int
    height: int
    width: int
    layout: Layout = Field(Layout.NCHW, description="Known from the network's operations, never from a shape.")
    grid: tuple[int, int] = Field(description="Rows and columns of its map.", examples=[[7, 7]])
    prefix_tokens: int = Field(0, description="Tokens before those of the grid: a class token, registers.")
    not_possible: list[CamMethod] | None = Field(
        None,
        description="CAM methods that cannot explain the model there, since they suppose another form of network; "
        "null: not known, of models read by earlier versions.",
    )

    @model_validator(mode="before")
    @classmethod
    def with_grid(cls, value: Any) -> Any:
        """Probes from before there were layouts have the two sides alone."""
        return {"grid": (value["height"], value["width"])} | value if isinstance(value, dict) else value


class Speed(BaseModel):
    """What salience costs: the worker measured it when the weights arrived."""

    device_class: DeviceClass
    seconds_per_image: float = Field(description="Of one pass.", examples=[0.0042])
    micro_batch: int = Field(description="Images of a pass that was timed.", examples=[8])
    seconds_per_head: float | None = Field(
        None,
        description="Of one changed feature map through the layers behind the target layer, as ReciproCAM has one for "
        "every cell and Ablation-CAM for every channel; null where they cannot be run alone, and of models read by "
        "earlier versions.",
        examples=[0.0001],
    )
    seconds_of_bias_maps: float | None = Field(
        None,
        description="That FullGrad takes for the maps of an image beside its passes; null of graphs, and of models "
        "read by earlier versions.",
        examples=[0.71],
    )


PROBED = (
    "parameter_count",
    "classes",
    "map_height",
    "map_width",
    "candidate_layers",
    "in_place_operations",
    "final_softmax",
    "cam_methods",
    "speed",
)
"""Of a model's fields those that a worker found, by their names in the stored probe."""
