"""Models, data sets, map sets, run groups and gates: what an audit is made of."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from salience_audit.document import Document
from salience_audit.documents import (
    Dataset,
    Gate,
    GivenMap,
    MapSet,
    Model,
    Protocols,
    RunGroup,
    Sample,
)
from salience_audit.errors import Json, NoSuchName
from salience_audit.nouns import KINDS, NOUNS, UPLOADED, VERSIONED, Collection
from salience_audit.pushing import Pushing


class Resources(Pushing):
    """Registers, uploads, lists and finds."""

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


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
