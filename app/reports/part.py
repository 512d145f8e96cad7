"""What goes to the process that draws a report, as JSON."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema

Base64 = Annotated[bytes, Field(repr=False)]
Document = TypeVar("Document")
AsItIs = Annotated[Document, GetPydanticSchema(lambda _source, handler: handler(Any))]
"""A document that was checked when it was made: checking millions of numbers again costs more than drawing them."""


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")
