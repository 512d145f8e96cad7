"""How many of an audit's samples a model may have been trained on: its training images, and images that repeat one."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, SampleRow, SampleScoresRow
from app.domain.results.documents import TrainingImages
from app.domain.samples.splits import TRAINING


def training_images(session: Session, audit: AuditRow) -> TrainingImages:
    """Among the audited samples: how many there are, those of a training split, and those of none that look like one
    of the data set's training images."""
    is_training = func.coalesce(func.lower(SampleRow.split).in_(sorted(TRAINING)), False)
    repeated = (
        select(SampleRow.near_duplicate_of)
        .where(SampleRow.dataset_id == audit.dataset_id, SampleRow.near_duplicate_of.is_not(None), is_training)
        .distinct()
    )
    repeats = ~is_training & SampleRow.split.is_not(None) & SampleRow.near_duplicate_of.in_(repeated)
    query = (
        select(func.count(), func.count().filter(is_training), func.count().filter(repeats))
        .join(SampleScoresRow, SampleScoresRow.sample_id == SampleRow.id)
        .where(SampleScoresRow.audit_id == audit.id, SampleScoresRow.model_ordinal == 0)
    )
    audited, training, repeating = session.execute(query).one()
    return {"audited": audited, "of_training_splits": training, "like_training_images": repeating}
