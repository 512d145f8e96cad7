"""Where a data set may lie: in a folder or a file that is read there, or in an archive that is copied."""

from pydantic import Field, field_validator

from app.registries.places import dataset_kind
from app.registries.uri_forms import HUB_DATASETS
from app.uploads.sources import Fetched, Source


class DatasetSource(Source):
    """Images that lie elsewhere, in place of an upload."""

    uri: str = Field(
        max_length=600,
        description="A folder (`s3://BUCKET/FOLDER`, `s3://BUCKET`, `file:///FOLDER`), an archive in one (`.zip`, "
        "`.tar`, `.tar.gz`, `.parquet`, ...), an archive of a web server (`https://HOST/PATH#sha256=DIGEST`), or a "
        "data set of a Hub (`hf://datasets/OWNER/REPOSITORY@REVISION`, or `/PATH.parquet` behind that). Of a folder "
        "`train-{000000..000099}.tar` names several shards.",
        examples=["s3://images/faces/2026-11", "file:///srv/images/faces.zip"],
    )
    by_reference: bool = Field(
        default=True,
        description="A folder of images, of tars (WebDataset's shards) or of Parquet tables is listed, as is one tar "
        "or table that is named itself, and its files are read where they lie whenever an audit needs them. `false`: "
        "they are copied once, as other archives and files of web servers always are: the data set's notes say so.",
    )

    @field_validator("uri")
    @classmethod
    def that_has_images(cls, value: str) -> str:
        if value.startswith(("models:", "oci:")) or (value.startswith("hf://") and not value.startswith(HUB_DATASETS)):
            raise ValueError("a model is no data set; one of a Hub begins with hf://datasets/")
        return value

    @property
    def kind(self) -> str:
        return dataset_kind(self.uri)


class FetchedDataset(Fetched):
    """Where a data set comes from, and what was found there."""

    file: str | None = Field(None, description="The archive; null of a folder, whose files became one.")
    version: str | None = Field(
        None,
        description="The commit of a Hub; else, of what was copied, a digest of the names with ETags, or sizes and "
        "times, as listed.",
    )
    by_reference: bool = Field(default=False, description="Whether it is read where it lies; false of a copy.")
