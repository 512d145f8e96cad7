"""What the owner of a data set should know of how it was taken."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db.tables import DatasetRow
from worker.intake.labels import Labels
from worker.intake.layout import Layout
from worker.intake.notes import counted, listed, skipped_notes
from worker.intake.opening import why_copied
from worker.intake.sifting import Sifter
from worker.intake.taking import Taker
from worker.intake.tallies import names_alike_but_for_case, unreadable_labels


@dataclass(frozen=True)
class DatasetNotes:
    """Of a data set whose counts are there."""

    session: Session
    dataset: DatasetRow
    taker: Taker
    sifter: Sifter
    layout: Layout
    labels: Labels

    def all(self) -> Iterator[str]:
        """In sentences."""
        yield from self._of_files()
        yield from self._of_labels()

    def why_empty(self, why: str) -> str:
        """``why`` is why its samples cannot be read."""
        empty = "The archive holds no image that can be read."
        inside = self.taker.arrivals.skipped.examples("archive")
        if inside:
            return f"{empty} It holds archives ({inside}), which are not opened: pack the images themselves."
        if why:
            return f"{empty} See the data set's samples: {why}"
        left_out = skipped_notes(self.taker.arrivals.skipped)
        return " ".join([empty, *left_out])

    def _of_files(self) -> Iterator[str]:
        """What was taken in another way than the archive looks."""
        layout, labels, assumed = self.layout, self.labels, self.taker.assumed_encoding
        yield from layout.notes() if labels.from_folders else ()
        yield from skipped_notes(self.taker.arrivals.skipped)
        one, many = "image is not of the kind that its name says.", "images are not of the kinds that their names say."
        yield from counted(self.sifter.misnamed, one, many)
        one, many = "image has several frames: the first was taken.", "images have several frames: the first was taken."
        yield from counted(self.sifter.several, one, many)
        odd = self.taker.arrivals.odd
        if odd.counts:
            names = f"{odd.examples('odd')} ({odd.counts['odd']} in all)"
            yield f"Windows could not store these names, which were taken as they are: {names}."
        if assumed is not None:
            yield f"The names do not say their encoding: {assumed} was assumed; name_encoding says otherwise."
        doubles = names_alike_but_for_case(self.session, self.dataset.id)
        yield from counted(
            doubles, "name differs from another in case alone.", "names differ from others in case alone."
        )
        yield from labels.notes
        yield from self.taker.within.notes if self.taker.within is not None else ()
        copied = why_copied(self.session, self.dataset.id)
        yield from () if copied is None else (f"It was copied, since {copied}.",)

    def _of_labels(self) -> Iterator[str]:
        dataset, layout, labels = self.dataset, self.layout, self.labels
        lost = unreadable_labels(self.session, dataset.id, dataset.labels)
        if lost:
            yield f"No image can be read of {len(lost)} labels: {listed(lost)}."
        if not dataset.labels and dataset.sample_count:
            where = "No label: the images lie in one folder, which is none."
            yield where if labels.from_folders and layout.top else "No label: nothing says one."
            yield from labels.suggestions(self.taker.arrivals.tables, self.sifter.sidecars)
        alike = dataset.near_duplicates
        if alike is not None:
            over = f"{alike['across_labels']} over several labels, {alike['across_splits']} over several splits"
            found = f"{alike['images']} images look like another one, in {alike['groups']} groups: {over}"
            yield f"{found} (GET .../samples?near_duplicates=true lists them)."
