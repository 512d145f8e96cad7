"""One sample of a data set, and its file, by id or by name."""

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from app.datasets.repository import find_sample, get_dataset
from app.datasets.schemas import DatasetId, Sample
from app.db.tables import SampleRow
from app.domain.problems import uploads
from app.domain.vocabulary import SampleStatus
from app.errors import Gone, InputFailure
from app.http.authorization import READS
from app.http.dependencies import BriefSessionDep, ContentsDep, OutwardDep, SessionDep
from app.http.problems import problem_responses
from app.imaging.entries import entry_of, read_entry
from app.imaging.kinds import kind_of
from app.sources.contents import Contents, lost_image

router = APIRouter(prefix="/v1/datasets", tags=["data sets"])

SampleName = Annotated[
    str, Path(max_length=2000, description="The sample's `id`, or its name in the archive: `cat/0.png`.")
]


@router.get(
    "/{dataset_id}/samples/{sample:path}/image",
    dependencies=[READS],
    summary="Read a sample's image",
    responses={
        **problem_responses(404, 410, 422),
        200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}, "description": "The file."},
    },
    response_class=Response,
)
async def get_image(
    dataset_id: DatasetId,
    sample: SampleName,
    session: BriefSessionDep,
    contents: ContentsDep,
    outward: OutwardDep,
) -> Response:
    """To look at what the models were shown: the file byte by byte as it was uploaded, or as it was listed."""
    dataset, row = await session.ask(
        lambda asked: (get_dataset(asked, dataset_id), find_sample(asked, dataset_id, sample))
    )
    digest = dataset.stored_digest or ""
    data = await outward.read(dataset.tenant_id, digest, partial(_file, row, digest, contents))
    kind = kind_of(data)
    name = quote(sample.rpartition("/")[2])
    headers = {"Content-Disposition": f"inline; filename*=UTF-8''{name}"}
    media_type = f"image/{kind.lower()}" if kind else "application/octet-stream"
    return Response(data, media_type=media_type, headers=headers)


def _file(sample: SampleRow, digest: str, contents: Contents) -> bytes:
    """Raises Unprocessable ``sample-unreadable``, or Gone where what was once readable is lost."""
    if sample.status == SampleStatus.UNREADABLE:
        raise uploads.SAMPLE_UNREADABLE.error()
    try:
        return read_entry(contents, digest, entry_of(sample), contents.settings.max_entry_bytes)
    except (FileNotFoundError, InputFailure) as error:
        raise Gone("artifact-corrupted", lost_image(error)) from error


@router.get(
    "/{dataset_id}/samples/{sample:path}",
    dependencies=[READS],
    summary="Read a sample",
    responses=problem_responses(404),
)
def get_sample(dataset_id: DatasetId, sample: SampleName, session: SessionDep) -> Sample:
    """To find an image by its id in an export, or its id by its name: label, source, size, and what was wrong."""
    return Sample.of(find_sample(session, dataset_id, sample))
