"""Data sets over real HTTP: what is said, their samples by name and by filter."""

from uuid import UUID, uuid4

from app.db.session import transaction
from app.db.tables import SampleRow
from app.domain.vocabulary import SampleStatus
from tests.api.running_api import Api, check_problem, pages, refer_to
from tests.factories import sample_row


def test_what_was_said_is_shown(api: Api) -> None:
    dataset = api.register("datasets", name="faces", metadata={"from": "LFW"})
    assert api.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset
    assert (dataset["sample_count"], dataset["labels"], dataset["digest"]) == (0, [], None)


def test_samples_by_name_and_by_filter(api: Api) -> None:
    dataset = api.register("datasets")
    names = ["a/x/Z.png", "a/x/a.png", "b/y/ä.png", "b/x/\U0001f600.png", "b/x/broken.png"]
    with transaction(api.engine) as session:
        session.add_all(sample(UUID(dataset["id"]), number, name) for number, name in enumerate(names))
    path = f"/v1/datasets/{dataset['id']}/samples"
    assert [item["sample"] for item in pages(api.client, path, limit=2)] == sorted(names)
    assert [item["sample"] for item in pages(api.client, path, status="unreadable")] == ["b/x/broken.png"]
    assert [item["sample"] for item in pages(api.client, path, label="b", source="y")] == ["b/y/ä.png"]
    assert pages(api.client, path, label="%") == []
    broken = pages(api.client, path, status="unreadable")[0]
    assert broken["problem"] == {"code": "sample-corrupt", "detail": "Cut off."}
    check_problem(api.client.get(f"{path}?cursor=WyJcdTAwMDAiXQ"), 422, "invalid-cursor")
    check_problem(api.client.get(f"/v1/datasets/{uuid4()}/samples"), 404, "not-found")


def test_used_data_sets_stay(api: Api) -> None:
    dataset = api.register("datasets")
    audit_id = refer_to(api, dataset, api.register())
    detail = check_problem(api.client.delete(f"/v1/datasets/{dataset['id']}"), 409, "dataset-in-use")
    assert f"audit {audit_id}" in detail
    unused = api.register("datasets")
    with transaction(api.engine) as session:
        session.add(sample(UUID(unused["id"]), 0, "a/b.png"))
    assert api.client.delete(f"/v1/datasets/{unused['id']}").status_code == 204


def sample(dataset_id: UUID, number: int, name: str) -> SampleRow:
    is_broken = "broken" in name
    return sample_row(
        dataset_id,
        name=name,
        position=None if is_broken else number,
        status=SampleStatus.UNREADABLE if is_broken else SampleStatus.READY,
        label=name.split("/", maxsplit=1)[0],
        source=name.split("/")[1],
        problem={"code": "sample-corrupt", "detail": "Cut off."} if is_broken else None,
    )
