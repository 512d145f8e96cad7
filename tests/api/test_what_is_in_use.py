"""What audits refer to stays, and they are named."""

from uuid import UUID

from sqlalchemy import update

from app.db.session import transaction
from app.db.tables import AuditRow
from app.domain.vocabulary import AuditStatus
from tests.api.running_api import Api, check_problem, refer_to


def test_they_are_named(api: Api) -> None:
    models = [api.register() for _ in range(2)]
    dataset = api.register("datasets")
    body = {"name": "g", "model_ids": [model["id"] for model in models]}
    group = api.client.post("/v1/run-groups", json=body).json()
    audits = [refer_to(api, dataset, models[0]) for _ in range(3)]
    with transaction(api.engine) as session:
        chosen = update(AuditRow).where(AuditRow.id.in_(audits))
        session.execute(chosen.values(run_group_id=UUID(group["id"])))
        session.execute(chosen.where(AuditRow.id == audits[0]).values(status=AuditStatus.RUNNING))
        session.execute(chosen.where(AuditRow.id == audits[2]).values(status=AuditStatus.SUCCEEDED))
    paths = {
        "model-in-use": f"/v1/models/{models[0]['id']}",
        "dataset-in-use": f"/v1/datasets/{dataset['id']}",
        "run-group-in-use": f"/v1/run-groups/{group['id']}",
    }
    for code, path in paths.items():
        answer = api.client.delete(path)
        detail = check_problem(answer, 409, code)
        named = {problem["loc"][1]: problem["msg"] for problem in answer.json()["errors"]}
        assert named == {str(audits[0]): "running", str(audits[1]): "queued"}
        assert all(name in detail for name in named)
        assert api.client.get(path).status_code == 200
    with transaction(api.engine) as session:
        session.execute(update(AuditRow).where(AuditRow.id.in_(audits)).values(status=AuditStatus.CANCELLED))
    assert api.client.delete(paths["run-group-in-use"]).status_code == 204
    answer = api.client.delete(paths["model-in-use"])
    assert len(answer.json()["errors"]) == 3
