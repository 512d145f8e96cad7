"""Who comes in, who does not, and that every refusal looks the same."""

import json
import re
import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from app.access.keys import checksum, generate_key, prefix_of
from app.access.scopes import Scope
from app.db.session import transaction
from app.db.tables import ApiKeyRow
from app.http.authorization import declared_access
from app.http.openapi.swagger import router as swagger
from app.rooms import ROUTERS
from tests.api.access.conftest import Keys
from tests.api.running_api import Api, check_problem
from tests.sockets import connect, read_answer
from tests.waiting import PATIENCE_SECONDS, until

MakeKey = Callable[..., str]
ANYONE = httpx.Client(timeout=PATIENCE_SECONDS)
"""One for all: each reads the authorities of TLS anew, which takes as long as five answers."""


def ask(api: Api, key: str | None, method: str = "GET", path: str = "/v1/models", **options: Any) -> httpx.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return ANYONE.request(method, f"http://127.0.0.1:{api.port}{path}", headers=headers, **options)


def wrong_secret(key: str) -> str:
    body = key[:20] + "0" * 36
    return body + checksum(body)


@pytest.fixture(scope="module")
def key(make_key: MakeKey) -> str:
    return make_key("a:b")


ROUTES = {name: one.access.scope for one in declared_access([*ROUTERS, swagger]) for name in one.names}
TOO_WEAK = {Scope.READ: "metrics:read", Scope.WRITE: "audit:read", Scope.METRICS: "audit:write"}


@pytest.fixture(scope="module")
def closed(start_api: Callable[..., Api], broker_url: str, guarded: Api) -> Api:
    """An API that opens nothing but what always is."""
    url = guarded.engine.url.render_as_string(hide_password=False)
    return start_api(broker_url, DATABASE_URL=url, OPEN_DOCS="false", OPEN_METRICS="false", RECONCILE_SECONDS="3600")


def test_every_route_asks_for_the_scope_that_it_names(closed: Api, make_key: MakeKey) -> None:
    """All that there are: without a key, and with a key that lacks just that scope."""
    weak = {scope: make_key("scoped", lacking) for scope, lacking in TOO_WEAK.items()}
    for name, scope in ROUTES.items():
        method, _, template = name.partition(" ")
        path = re.sub(r"\{\w+\}", str(UUID(int=0)), template)
        body: dict[str, Any] = {"json": {}} if method in {"POST", "PATCH"} else {}
        answer = ask(closed, None, method, path, **body)
        if scope is None:
            asks_for_a_signature = name == "POST /v1/hooks/{hook_id}/deliveries"
            assert answer.status_code in ({401} if asks_for_a_signature else {200, 404}), name
            continue
        check_problem(answer, 401, "unauthenticated")
        refused = check_problem(ask(closed, weak[scope], method, path, **body), 403, "insufficient-scope")
        assert scope in refused, name
    assert {scope for scope in ROUTES.values() if scope} == set(TOO_WEAK)


class TestRefused:
    @pytest.fixture
    def bad(self, key: str) -> dict[str, str | None]:
        return {
            "none": None,
            "malformed": "nonsense",
            "wrong secret": wrong_secret(key),
            "wrong checksum": key[:-1] + ("a" if key[-1] != "a" else "b"),
            "unknown": generate_key("live"),
            "other environment": generate_key("test"),
            "long": "x" * 50_000,
            "look-alike": "\u0455a_live_" + key[8:],
            "two": f"{key} {key}",
        }

    def test_all_in_the_same_words(self, guarded: Api, bad: dict[str, str | None]) -> None:
        answers = []
        for value in bad.values():
            header = b"" if value is None else f"Bearer {value}".encode()
            headers = {b"Authorization": header} if header else {}
            answers.append(
                httpx.get(f"http://127.0.0.1:{guarded.port}/v1/models", headers=headers, timeout=PATIENCE_SECONDS)
            )
        for answer in answers:
            check_problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == 'Bearer realm="salience-audit"'
        bodies = [answer.json() | {"request_id": ""} for answer in answers]
        assert all(body == bodies[0] for body in bodies)
        names = [sorted(name for name in answer.headers if name != "date") for answer in answers]
        assert all(found == names[0] for found in names)

    def test_in_the_same_time(self, guarded: Api, bad: dict[str, str | None]) -> None:
        """Their medians differ by less than single answers do; what others do on the machine may hide that at times."""
        del bad["long"], bad["look-alike"]
        seen = []
        for _ in range(5):
            seconds = self.measure(guarded, bad)
            medians = [statistics.median(found) for found in seconds.values()]
            noise = statistics.median(statistics.quantiles(found, n=4)[2] - min(found) for found in seconds.values())
            if max(medians) - min(medians) < max(noise, 0.001):
                return
            seen.append((noise, medians))
        pytest.fail(f"five times in a row: {seen}")

    def measure(self, guarded: Api, bad: dict[str, str | None]) -> dict[str, list[float]]:
        """Seconds of sixty answers each, in turns."""
        seconds: dict[str, list[float]] = {name: [] for name in bad}
        with httpx.Client(base_url=f"http://127.0.0.1:{guarded.port}", timeout=PATIENCE_SECONDS) as client:
            for _ in range(60):
                for name, value in bad.items():
                    headers = {} if value is None else {"Authorization": f"Bearer {value}"}
                    started = time.perf_counter()
                    client.get("/v1/models", headers=headers)
                    seconds[name].append(time.perf_counter() - started)
        return seconds

    def test_every_other_scheme_and_two_headers(self, guarded: Api, key: str) -> None:
        for lines in ([f"Basic {key}"], [key], [f"Bearer{key}"], [f"Bearer  {key}"], [f"Bearer {key}"] * 2):
            headers = [("Authorization", line) for line in lines]
            answer = httpx.get(f"http://127.0.0.1:{guarded.port}/v1/models", headers=headers, timeout=PATIENCE_SECONDS)
            check_problem(answer, 401, "unauthenticated")
        assert ask(guarded, key).status_code == 200
        shouting = httpx.get(
            f"http://127.0.0.1:{guarded.port}/v1/models",
            headers={"Authorization": f"BEARER {key}"},
            timeout=PATIENCE_SECONDS,
        )
        assert shouting.status_code == 200

    def test_before_any_body_is_read(self, guarded: Api) -> None:
        with connect(guarded.port) as peer:
            peer.sendall(b"POST /v1/models HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n[")
            assert read_answer(peer)[0] == 401

    def test_unknown_paths_are_not_told_either(self, guarded: Api) -> None:
        for path in ("/nowhere", "/v1/", "/v1/models/", "//v1/models", "/v1/models/1/content", "/livez/"):
            check_problem(ask(guarded, None, path=path), 401, "unauthenticated")

    def test_secrets_are_not_echoed(self, guarded: Api, key: str) -> None:
        for method, path in (("GET", f"/v1/models/{key}"), ("GET", f"/v1/models?cursor={key}"), ("POST", "/v1/models")):
            answer = ask(guarded, key, method, path, content=json.dumps({key: key}) if method == "POST" else None)
            assert answer.status_code in {404, 415, 422}
            assert key not in answer.text + str(answer.headers)


def test_open_to_all(guarded: Api) -> None:
    """On loopback; docs and metrics only there."""
    for path in ("/livez", "/readyz", "/docs", "/openapi.json", "/metrics"):
        assert ask(guarded, None, path=path).status_code == 200


def test_documents_and_metrics_can_be_closed(closed: Api, make_key: MakeKey) -> None:
    check_problem(ask(closed, None, path="/openapi.json"), 404, "not-found")
    check_problem(ask(closed, None, path="/docs"), 404, "not-found")
    check_problem(ask(closed, None, path="/metrics"), 401, "unauthenticated")
    assert ask(closed, make_key("scraping", "metrics:read"), path="/metrics").status_code == 200


class TestScopes:
    def test_reading_is_not_writing(self, guarded: Api, make_key: MakeKey) -> None:
        reader = make_key("scoped", "audit:read")
        assert ask(guarded, reader).status_code == 200
        for method, path in (("POST", "/v1/models"), ("DELETE", "/v1/models/1"), ("PUT", "/v1/models/1/content")):
            answer = ask(guarded, reader, method, path, **({"json": {}} if method == "POST" else {}))
            assert "audit:write" in check_problem(answer, 403, "insufficient-scope")
            assert 'scope="audit:write"' in answer.headers["www-authenticate"]
        estimate = ask(guarded, reader, "POST", "/v1/audits:estimate", json={})
        check_problem(estimate, 422, "validation-error")


class TestLife:
    def test_a_key_is_nowhere(self, guarded: Api, keys: Keys) -> None:
        made = keys(
            "create", "--tenant", "life", "--scope", "audit:read", "--scope", "metrics:read", "--name", "nightly"
        )
        key = made.stdout.strip()
        assert ask(guarded, key).status_code == 200
        assert key not in made.stderr
        with transaction(guarded.engine) as session:
            row = session.scalars(select(ApiKeyRow).where(ApiKeyRow.prefix == prefix_of(key))).one()
        assert len(row.key_hash) == 32
        assert key[20:].encode() not in row.key_hash
        listed = keys("list", "--tenant", "life")
        assert prefix_of(key) in listed.stdout
        assert key[20:-6] not in listed.stdout
        assert "audit:read,metrics:read" in listed.stdout
        assert "nightly" in listed.stdout

    def test_the_last_use_is_noted(self, guarded: Api, make_key: MakeKey, keys: Keys) -> None:
        key = make_key("used")
        assert json.loads(keys("list", "--tenant", "used", "--json").stdout)[0]["last_used_at"] is None
        assert ask(guarded, wrong_secret(key)).status_code == 401
        assert ask(guarded, key).status_code == 200
        until(lambda: json.loads(keys("list", "--tenant", "used", "--json").stdout)[0]["last_used_at"] is not None)

    def test_revoked_at_once(self, guarded: Api, make_key: MakeKey, keys: Keys) -> None:
        key = make_key("life")
        assert ask(guarded, key).status_code == 200
        assert keys("revoke", prefix_of(key)).returncode == 0
        check_problem(ask(guarded, key), 401, "unauthenticated")
        again = keys("revoke", prefix_of(key))
        assert (again.returncode, again.stderr) == (1, "The key was revoked, or has expired.\n")
        assert keys("rotate", prefix_of(key)).returncode == 1
        assert keys("revoke", "sa_live_nobodys").stderr == "No such key.\n"

    def test_expired(self, guarded: Api, keys: Keys) -> None:
        key = keys("create", "--tenant", "life", "--scope", "audit:read", "--expires-in-days", "1").stdout.strip()
        assert ask(guarded, key).status_code == 200
        with transaction(guarded.engine) as session:
            chosen = update(ApiKeyRow).where(ApiKeyRow.prefix == prefix_of(key))
            session.execute(chosen.values(expires_at=func.clock_timestamp()))
        check_problem(ask(guarded, key), 401, "unauthenticated")

    def test_rotation(self, guarded: Api, make_key: MakeKey, keys: Keys) -> None:
        old = make_key("rotating")
        made = keys("rotate", prefix_of(old), "--grace-hours", "1")
        new = made.stdout.strip()
        assert made.returncode == 0, made.stderr
        fresh, late = ask(guarded, new), ask(guarded, old)
        assert (fresh.status_code, late.status_code) == (200, 200)
        assert "deprecation" not in fresh.headers
        assert abs(int(late.headers["deprecation"].removeprefix("@")) - time.time()) < 60
        assert late.headers["sunset"].endswith("GMT")
        assert "rotated already" in keys("rotate", prefix_of(old)).stderr
        assert "still works" in keys("rotate", prefix_of(new)).stderr
        with transaction(guarded.engine) as session:
            chosen = update(ApiKeyRow).where(ApiKeyRow.prefix == prefix_of(old))
            session.execute(chosen.values(expires_at=func.clock_timestamp()))
        check_problem(ask(guarded, old), 401, "unauthenticated")
        assert ask(guarded, new).status_code == 200
        assert keys("rotate", prefix_of(new), "--grace-hours", "0").returncode == 0
        check_problem(ask(guarded, new), 401, "unauthenticated")

    def test_another_server_secret_knows_no_key(self, guarded: Api, keys: Keys) -> None:
        made = keys("create", "--tenant", "life", "--scope", "audit:read", API_KEY_SECRET="x" * 32)
        check_problem(ask(guarded, made.stdout.strip()), 401, "unauthenticated")
        short = keys("list", API_KEY_SECRET="short")
        assert (short.returncode, "32 characters" in short.stderr) == (1, True)
