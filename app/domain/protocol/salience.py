"""Which map is made."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.measures import Frozen
from app.domain.vocabulary import CamMethod, SalienceTarget


class SalienceSettings(Frozen):
    """Which map is made: the CAM method, the class it explains and the layer it is taken from.

    ``methods`` asks for every model under several methods, each a subject of its own; the first of them leads, and is
    ``method``.
    """

    method: CamMethod = CamMethod.GRADCAM
    methods: Annotated[tuple[CamMethod, ...], Field(max_length=8)] = ()
    target: SalienceTarget | Annotated[int, Field(ge=0, lt=1_000_000, strict=True)] = SalienceTarget.PREDICTED
    target_layer: str | None = Field(default=None, max_length=512)
    masks: Annotated[int, Field(ge=100, le=16_000, strict=True)] | None = Field(
        default=None, exclude_if=lambda masks: masks is None, description="How many RISE draws for every image."
    )

    @model_validator(mode="before")
    @classmethod
    def _with_masks(cls, said: Any) -> Any:
        """What is computed is in the protocol; of other methods there are none."""
        if not isinstance(said, dict):
            return said
        methods = said.get("methods") or ()
        asked = said.get("method") == CamMethod.RISE or (
            isinstance(methods, list | tuple) and CamMethod.RISE in methods
        )
        return {**said, "masks": DEFAULT_MASKS} if asked and said.get("masks") is None else said

    @model_validator(mode="after")
    def _masks_of_rise_alone(self) -> Self:
        if self.masks is not None and CamMethod.RISE not in self.all_methods:
            raise ValueError("masks are RISE's: leave them out, or send the method rise")
        return self

    @model_validator(mode="before")
    @classmethod
    def first_leads(cls, given: Any) -> Any:
        methods = given.get("methods") if isinstance(given, dict) else None
        return {"method": methods[0], **given} if methods and isinstance(methods, list | tuple) else given

    @model_validator(mode="after")
    def each_once(self) -> Self:
        if len(set(self.methods)) != len(self.methods):
            raise ValueError("methods must be distinct")
        if self.methods and self.method != self.methods[0]:
            raise ValueError("method is the first of methods; name methods alone")
        return self

    @property
    def all_methods(self) -> tuple[CamMethod, ...]:
        return self.methods or (self.method,)

    def under(self, method: CamMethod) -> Self:
        """The same way to a map, by that method alone."""
        masks = self.masks if method is CamMethod.RISE else None
        return self.model_copy(update={"method": method, "methods": (), "masks": masks})

    def to_json(self) -> dict[str, object]:
        """As JSON: one method alone is written as before there were several."""
        return self.model_dump(mode="json", exclude=None if len(self.methods) > 1 else {"methods"})
