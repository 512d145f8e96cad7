"""Models, data sets, map sets, run groups and gates: what an audit is made of."""

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote
from uuid import UUID

from salience_audit.configuration import find_service
from salience_audit.connection import Connection, Retries
from salience_audit.document import Document
from salience_audit.documents import (
    Audit,
    Comparison,
    Dataset,
    Gate,
    GivenMap,
    MapSet,
    Model,
    Protocols,
    RunGroup,
    Sample,
)
from salience_audit.errors import Json, NoSuchName, Rejected
from salience_audit.uploads import Progress, Source, Upload, opened

Collection = Literal["models", "datasets", "map-sets", "run-groups", "gates", "audits", "comparisons"]

NOUNS: dict[Collection, str] = {
    "models": "model",
    "datasets": "data set",
    "map-sets": "map set",
    "run-groups": "run group",
    "gates": "gate",
    "audits": "audit",
    "comparisons": "comparison",
}
KINDS: dict[Collection, type[Document]] = {
    "models": Model,
    "datasets": Dataset,
    "map-sets": MapSet,
    "run-groups": RunGroup,
    "gates": Gate,
    "audits": Audit,
    "comparisons": Comparison,
}
UPLOADED = frozenset({"models", "datasets", "map-sets"})
VERSIONED = UPLOADED | {"gates"}
"""Collections whose names have versions."""

FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.2, 2.0


class Resources:
    """Registers, uploads, lists and finds. Every call may raise ApiError and Unreachable."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        config: Path | None = None,
        retries: Retries | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        """Without ``url`` and ``api_key``: from the environment, the configuration file, or the service that runs in
        ``data/serve``. ``timeout_seconds`` bounds each wait for bytes. Raises ConfigurationError."""
        self._connection = Connection(find_service(url, api_key, config), retries or Retries(), timeout_seconds)

    @property
    def url(self) -> str:
        """The service's address."""
        return self._connection.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()

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
        while (model := self.resource("models", model_id))["fidelity"] is None:
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)
        return Model(model)

    def create_run_group(self, name: str, model_ids: Sequence[str]) -> RunGroup:
        """Models of one recipe, trained independently."""
        return RunGroup(self._connection.post("/v1/run-groups", {"name": name, "model_ids": list(model_ids)}))

    def create_gate(
        self, name: str, conditions: Sequence[str], *, require: Literal["meaningful"] | None = None
    ) -> Gate:
        """Conditions such as ``entropy.spatial.mean <= 0.85``; ``meaningful`` ones take no number that says nothing."""
        body = {"name": name, "conditions": list(conditions), "require": require}
        return Gate(self._connection.post("/v1/gates", body))

    def models(self) -> Iterator[Model]:
        """The newest first, page by page; so are the lists below."""
        return map(Model, self._connection.pages("/v1/models"))

    def datasets(self) -> Iterator[Dataset]:
        return map(Dataset, self._connection.pages("/v1/datasets"))

    def register_map_set(self, *, dataset_id: str, description: Json) -> MapSet:
        """One whose maps are still to be made, of images that an audit of it hands out (``input_size``)."""
        return MapSet(self._connection.post("/v1/map-sets", {"dataset_id": dataset_id} | description))

    def fill_map_set(self, map_set_id: str, source: Source, *, progress: Progress | None = None) -> MapSet:
        """Send the maps of one that is registered, and wait until they are read. Raises Rejected."""
        with opened(source) as upload:
            return MapSet(self._sent("map-sets", map_set_id, upload, progress))

    def map_sets(self) -> Iterator[MapSet]:
        return map(MapSet, self._connection.pages("/v1/map-sets"))

    def maps(self, map_set_id: str, **wanted: Any) -> Iterator[GivenMap]:
        """Of a map set, in the order in which they were read; ``status="unreadable"``: what came and is none."""
        return map(GivenMap, self._connection.pages(f"/v1/map-sets/{map_set_id}/maps", **wanted))

    def run_groups(self) -> Iterator[RunGroup]:
        return map(RunGroup, self._connection.pages("/v1/run-groups"))

    def gates(self) -> Iterator[Gate]:
        return map(Gate, self._connection.pages("/v1/gates"))

    def samples(self, dataset_id: str) -> Iterator[Sample]:
        """Of a data set, by name."""
        return map(Sample, self._connection.pages(f"/v1/datasets/{dataset_id}/samples"))

    def protocols(self) -> Protocols:
        """The presets, and every option with its range and default."""
        return Protocols(self._connection.get("/v1/protocols"))

    def find(self, collection: Collection, reference: str) -> str:
        """The id of what is meant: an id is one already, a name means the newest that has it.

        Of what is uploaded, the newest that is ready. ``plain@3`` is a version of the name, ``plain@champion`` the
        one with that alias, where the names have versions. Raises NoSuchName.
        """
        if _is_id(reference):
            return reference
        found = next(self._named(collection, name=reference), None)
        name, _, which = reference.rpartition("@")
        if found is None and name and which and collection in VERSIONED:
            of_name = (self._named(collection, name=name, **{key: which}) for key in ("version", "alias"))
            found = next(chain.from_iterable(of_name), None)
        if found is None:
            raise NoSuchName(NOUNS[collection], reference)
        found_id: str = found["id"]
        return found_id

    def _named(self, collection: Collection, **wanted: str) -> Iterator[Json]:
        """Those that are ready first, the newest first."""
        if collection in UPLOADED:
            yield from self._connection.pages(f"/v1/{collection}", status="ready", **wanted)
        yield from self._connection.pages(f"/v1/{collection}", **wanted)

    def resource(self, collection: Collection, resource_id: str) -> Document:
        """One, as the service shows it."""
        return KINDS[collection](self._connection.get(f"/v1/{collection}/{resource_id}"))

    def change(self, collection: Collection, resource_id: str, **fields: Any) -> Document:
        """Its ``name``, ``description``, ``metadata``, ``tags`` or ``aliases``; what is left out stays."""
        return KINDS[collection](self._connection.patch(f"/v1/{collection}/{resource_id}", fields))

    def delete(self, collection: Collection, resource_id: str, *, cascade: bool = False) -> None:
        """For good; ``cascade`` deletes the ended audits and run groups that refer to it as well."""
        params = {"cascade": True} if cascade else {}
        self._connection.answer("DELETE", f"/v1/{collection}/{resource_id}", params=params)

    def image(self, dataset_id: str, sample: str) -> bytes:
        """The file of a sample as it was uploaded, by the sample's id or name."""
        path = f"/v1/datasets/{dataset_id}/samples/{quote(sample)}/image"
        return self._connection.content(path, "image/*")

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


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
