"""Many requests at once wait for their turn; none of them keeps another from finishing."""

import asyncio

import httpx

from tests.api.running_api import Api
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS


def test_more_requests_than_threads_and_connections(api: Api) -> None:
    async def ask() -> set[int]:
        limits = httpx.Limits(max_connections=300)
        base_url = api.client.base_url
        async with httpx.AsyncClient(
            base_url=base_url, headers=HEADERS, timeout=PATIENCE_SECONDS, limits=limits
        ) as client:
            answers = await asyncio.gather(*(client.get("/v1/models") for _ in range(300)))
        return {answer.status_code for answer in answers}

    assert asyncio.run(ask()) == {200}
