"""Connections, hooks and policies at the running service, and what became of deliveries."""

from typing import Any

import httpx

Json = dict[str, Any]


def create(service: httpx.Client, collection: str, **body: Any) -> Json:
    answer = service.post(f"/v1/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def outcome_of(service: httpx.Client, hook: Json, delivery_id: str) -> Json | None:
    """Of one delivery, once it is followed."""
    log = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    return next((one for one in log if one["id"] == delivery_id and one["outcome"] != "pending"), None)


def ended(service: httpx.Client, hook: Json, count: int) -> list[Json] | None:
    log: list[Json] = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    is_over = len(log) >= count and all(one["outcome"] != "pending" for one in log)
    return log if is_over else None
