"""Run groups over real HTTP: known models, each once, in their order."""

from uuid import uuid4

from tests.api.running_api import Api, check_problem, pages


def test_members_in_their_order(api: Api) -> None:
    ids = [api.register()["id"] for _ in range(3)]
    wanted = [ids[2], ids[0], ids[1]]
    created = api.client.post("/v1/run-groups", json={"name": "runs", "model_ids": wanted})
    assert created.status_code == 201
    group = created.json()
    assert created.headers["location"] == f"/v1/run-groups/{group['id']}"
    assert group["model_ids"] == wanted
    assert api.client.get(f"/v1/run-groups/{group['id']}").json() == group
    assert pages(api.client, "/v1/run-groups", limit=1)[0] == group
    assert api.client.delete(f"/v1/run-groups/{group['id']}").status_code == 204
    check_problem(api.client.get(f"/v1/run-groups/{group['id']}"), 404, "not-found")


def test_two_distinct_known_models(api: Api) -> None:
    known, unknown = api.register()["id"], str(uuid4())
    for model_ids in ([], [known], [known, known], ["x", known], known):
        answer = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": model_ids})
        check_problem(answer, 422, "validation-error")
    answer = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": [known, unknown]})
    detail = check_problem(answer, 422, "unknown-models")
    assert unknown in detail
    assert known not in detail
