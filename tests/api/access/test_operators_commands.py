"""``keys`` and ``tenants`` with --json: one document on standard output, as `list` shows it."""

import json
import os
from pathlib import Path
from typing import Any

from app.access.keys import prefix_of
from tests import forked
from tests.api.access.conftest import Keys
from tests.api.running_api import Api

Json = dict[str, Any]


def told(keys: Keys, *arguments: str) -> Any:
    done = keys(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tenants(api: Api, *arguments: str) -> Any:
    url = api.engine.url.render_as_string(hide_password=False)
    done = forked.run(("tenants", *arguments, "--json"), os.environ | {"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_life_of_a_key(keys: Keys) -> None:
    made = told(keys, "create", "--tenant", "told", "--scope", "audit:read", "--name", "job", "--expires-in-days", "9")
    key = made.pop("key")
    assert (made["prefix"], made["tenant"], made["status"], made["scopes"]) == (
        prefix_of(key),
        "told",
        "active",
        ["audit:read"],
    )
    assert told(keys, "list", "--tenant", "told") == [made]
    new = told(keys, "rotate", key, "--grace-hours", "1")
    assert new["key"] not in {key, new["prefix"]}
    assert (new["prefix"], new["replaces"]["prefix"]) == (prefix_of(new["key"]), made["prefix"])
    assert (new["status"], new["replaces"]["status"]) == ("active", "rotated")
    ended = told(keys, "revoke", new["prefix"])
    assert (ended["prefix"], ended["status"]) == (new["prefix"], "ended")
    assert ended["revoked_at"] is not None
    assert told(keys, "list", "--tenant", "told") == [new["replaces"], ended]


def test_a_refusal_is_a_document_too(keys: Keys, tmp_path: Path) -> None:
    done = keys("revoke", "sa_live_nobodys", "--json")
    assert (done.returncode, done.stderr) == (1, "No such key.\n")
    assert json.loads(done.stdout) == {"error": {"code": "not-found", "detail": "No such key."}}
    away = keys("list", "--json", DATABASE_URL=f"postgresql+psycopg://nobody@/x?host={tmp_path}")
    assert (away.returncode, json.loads(away.stdout)["error"]["code"]) == (1, "database-unavailable")


def test_without_it_scripts_get_the_key_alone(keys: Keys) -> None:
    done = keys("create", "--tenant", "told", "--scope", "audit:read")
    assert prefix_of(done.stdout.strip()) in keys("list", "--tenant", "told").stdout
    assert done.stdout.count("\n") == 1
    assert keys("revoke", done.stdout.strip()).stdout == ""


def test_tenants(guarded: Api) -> None:
    limited = tenants(guarded, "limit", "counted", "--max-models", "3")
    limits = {"max_models": 3, "max_bytes": None, "max_live_audits": None, "max_audit_minutes": None}
    assert limited == {"tenant": "counted", "limits": limits}
    [found] = [one for one in tenants(guarded, "list") if one["tenant"] == "counted"]
    assert found == limited | {"has": {"models": 0, "bytes": 0, "audit_minutes": 0.0}}
