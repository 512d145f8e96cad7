"""What an audit found: results, scores, maps and the images behind them."""

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypedDict, Unpack, overload

from salience_audit.documents import SampleScore
from salience_audit.errors import ApiError
from salience_audit.frames import FrameKind, frame_of_parquet, frame_of_rows, library
from salience_audit.pictures import Picture
from salience_audit.results import Results

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

from salience_audit.service import Service

PARQUET = "application/vnd.apache.parquet"
NUMBERS = ("mean", "std", "ci95_low", "ci95_high", "p05", "p25", "p50", "p75", "p95", "control_mean", "flip_rate")
"""Of a summary: null where the samples give none."""


class ScoreFilter(TypedDict, total=False):
    """Which scores, as in ``GET /v1/audits/{id}/samples``."""

    measure: str
    view: str
    model_id: str
    label: str
    source: str
    order: Literal["asc", "desc", "worst"]


class Numbers(Service):
    """Of audits that run or have ended."""

    def results(self, audit_id: str, *, partial: bool = False) -> Results:
        """The whole document; ``partial`` also before the end, from what is done."""
        return Results(self._connection.get(f"/v1/audits/{audit_id}/results", partial=partial or None))

    @overload
    def summaries(self, audit_id: str) -> "pd.DataFrame": ...
    @overload
    def summaries(self, audit_id: str, frame: Literal["pandas"]) -> "pd.DataFrame": ...
    @overload
    def summaries(self, audit_id: str, frame: Literal["polars"]) -> "pl.DataFrame": ...
    def summaries(self, audit_id: str, frame: FrameKind = "pandas") -> Any:
        """The results' ``summaries``, a row each. Raises MissingLibrary."""
        return frame_of_rows(self.results(audit_id)["summaries"], frame, NUMBERS)

    @overload
    def scores(self, audit_id: str, **wanted: Unpack[ScoreFilter]) -> "pd.DataFrame": ...
    @overload
    def scores(self, audit_id: str, frame: Literal["pandas"], **wanted: Unpack[ScoreFilter]) -> "pd.DataFrame": ...
    @overload
    def scores(self, audit_id: str, frame: Literal["polars"], **wanted: Unpack[ScoreFilter]) -> "pl.DataFrame": ...
    def scores(self, audit_id: str, frame: FrameKind = "pandas", **wanted: Unpack[ScoreFilter]) -> Any:
        """A row for each sample, model, measure and view, read as Parquet. Raises MissingLibrary."""
        content = self._connection.content(f"/v1/audits/{audit_id}/samples", PARQUET, **wanted)
        return frame_of_parquet(content, frame)

    def score_rows(self, audit_id: str, **wanted: str | None) -> Iterator[SampleScore]:
        """The same rows as dicts, page by page, without any library."""
        return map(SampleScore, self._connection.pages(f"/v1/audits/{audit_id}/samples", **wanted))

    def worst(self, audit_id: str, measure: str, view: str, *, model_id: str | None = None) -> Picture | None:
        """The sample with the worst score of a measure's view, and where the model looked; None where none has one."""
        rows = self.score_rows(audit_id, measure=measure, view=view, order="worst", model_id=model_id)
        row = next(rows, None)
        return None if row is None or row.score is None else self.picture(audit_id, row)

    def picture(self, audit_id: str, row: Mapping[str, Any]) -> Picture:
        """Of a score: a row of ``score_rows``, or of a frame as a dict (``scores(...).iloc[0].to_dict()``).

        Of a score that compares several images, the clean one; of one across models, the first model's.
        """
        named = row["model_id"]
        model_id = named if isinstance(named, str) else self._connection.get(f"/v1/audits/{audit_id}")["model_ids"][0]
        try:
            png = self.map_picture(audit_id, row["sample_id"], model_id, row["view"])
        except ApiError as error:
            if error.code != "unknown-view":
                raise
            png = self.map_picture(audit_id, row["sample_id"], model_id)
        return Picture(row, png)

    def map_picture(self, audit_id: str, sample_id: str, model_id: str | None = None, view: str = "clean") -> bytes:
        """A PNG: the map in colour over the image."""
        path = f"/v1/audits/{audit_id}/samples/{sample_id}/map"
        return self._connection.content(path, "image/png", model_id=model_id, view=view)

    def salience_map(
        self, audit_id: str, sample_id: str, model_id: str | None = None, view: str = "clean"
    ) -> "NDArray[np.float32]":
        """The native map (h, w) in [0, 1]; all zero where it is undefined. One model alone needs no ``model_id``.

        Raises MissingLibrary without numpy.
        """
        path = f"/v1/audits/{audit_id}/samples/{sample_id}/map"
        values = self._connection.get(path, model_id=model_id, view=view)["values"]
        made: NDArray[np.float32] = library("numpy").array(values, dtype="float32")
        return made

    def views(
        self,
        audit_id: str,
        file: BinaryIO,
        *,
        needs: Literal["images", "maps"] = "images",
        model_id: str | None = None,
        subject: str | None = None,
    ) -> None:
        """Write the ZIP of an audit's changed images to ``file``, once it is made.

        ``needs`` is ``maps`` for images that follow a subject's clean maps, such as degradation's.
        """
        asked = {"needs": needs, "model_id": model_id, "subject": subject}
        while (pause := self._connection.saved(f"/v1/audits/{audit_id}/views", file, **asked)) is not None:
            time.sleep(pause)
