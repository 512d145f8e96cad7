"""What is uploaded: models, data sets, map sets, and predictions of one's own code."""

import time

from salience_audit.documents import (
    Dataset,
    MapSet,
    Model,
)
from salience_audit.errors import Json, Rejected
from salience_audit.nouns import Collection
from salience_audit.service import Service
from salience_audit.uploads import Progress, Source, Upload, opened

FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.2, 2.0


class Pushing(Service):
    """Registers and uploads, and waits until a worker has looked."""

    def push_model(self, source: Source, *, description: Json, progress: Progress | None = None) -> Model:
        """Register a model, send its weights (a file or bytes), wait until it is ready.

        ``description`` is the body of ``POST /v1/models``. Raises Rejected, UnreadableFile.
        """
        return Model(self._push("models", source, description, progress))

    def push_dataset(
        self, source: Source, *, name: str, progress: Progress | None = None, description: Json | None = None
    ) -> Dataset:
        """Register a data set, send its archive (a zip or tar file, a folder, or bytes), wait until it is ready.

        A folder is zipped on the way; what could not be is in ``left_out`` and among the ``notes`` of what is answered.
        ``description`` is more of the body of ``POST /v1/datasets``. Raises Rejected, UnreadableFile.
        """
        return Dataset(self._push("datasets", source, {"name": name} | (description or {}), progress))

    def push_map_set(
        self, source: Source, *, dataset_id: str, description: Json, progress: Progress | None = None
    ) -> MapSet:
        """Register maps of a data set's samples, send them (a zip, tar or npz file, a folder, or bytes), wait until
        they are read.

        ``description`` is more of the body of ``POST /v1/map-sets``: ``name`` and ``kind`` at least. Raises Rejected,
        UnreadableFile.
        """
        return MapSet(self._push("map-sets", source, {"dataset_id": dataset_id} | description, progress))

    def refer(self, model_id: str, source: Source, *, progress: Progress | None = None) -> Model:
        """Send predictions of your own code (a folder or a zip of images and ``outputs.jsonl``), wait until a worker
        has compared them; the model with its ``fidelity``. Raises UnreadableFile."""
        with opened(source) as upload:
            path = f"/v1/models/{model_id}/reference"
            self._connection.put(path, lambda: upload.chunks(progress), upload.headers)
        pause = FIRST_POLL_SECONDS
        while (model := self._connection.get(f"/v1/models/{model_id}"))["fidelity"] is None:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
        return Model(model)

    def fill_map_set(self, map_set_id: str, source: Source, *, progress: Progress | None = None) -> MapSet:
        """Send the maps of one that is registered, and wait until they are read. Raises Rejected."""
        with opened(source) as upload:
            return MapSet(self._sent("map-sets", map_set_id, upload, progress))

    def _push(self, collection: Collection, source: Source, description: Json, progress: Progress | None) -> Json:
        with opened(source) as upload:
            resource = self._connection.post(f"/v1/{collection}", description)
            return self._sent(collection, resource["id"], upload, progress)

    def _sent(self, collection: Collection, resource_id: str, upload: Upload, progress: Progress | None) -> Json:
        path = f"/v1/{collection}/{resource_id}"
        self._connection.put(f"{path}/content", lambda: upload.chunks(progress), upload.headers)
        pause = FIRST_POLL_SECONDS
        while (resource := self._connection.get(path))["status"] != "ready":
            if resource["status"] == "rejected":
                raise Rejected(resource)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
        if upload.left_out:
            told = [f"Not sent: {what}." for what in upload.left_out]
            resource |= {"left_out": list(upload.left_out), "notes": [*resource["notes"], *told]}
        return resource
