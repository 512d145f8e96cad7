"""What a push to the Hub tells: a version, aliases, or why nothing follows."""

import json
from typing import Any

import pytest

from app.hooks.events import Ignored, RegistryEvent, VersionEvent, hub_events
from tests.registries.loopback_hub import COMMIT

PUSHED: Any = {
    "event": {"action": "update", "scope": "repo.content"},
    "repo": {
        "type": "model",
        "name": "openai-community/gpt2",
        "id": "621ffdc036468d709f17434d",
        "private": False,
        "url": {"web": "https://huggingface.co/openai-community/gpt2", "api": "https://huggingface.co/api/models/gpt2"},
        "headSha": COMMIT,
        "owner": {"id": "628b753283ef59b5be89e937"},
    },
    "updatedRefs": [{"ref": "refs/heads/main", "oldSha": "ce9a4674fa833a68d5a73ec355f0ea95eedd60b7", "newSha": COMMIT}],
    "webhook": {"id": "6390e855e30d9209411de93b", "version": 3},
}


def test_one_push_moves_main_and_sets_tags() -> None:
    refs = ("refs/tags/v2", "refs/heads/main", "refs/tags/v1", "refs/pr/1")
    body = PUSHED | {"updatedRefs": [{"ref": ref, "oldSha": None, "newSha": COMMIT} for ref in refs]}
    told = hub_events(json.dumps(body).encode())
    assert isinstance(told, list)
    assert [(event.kind, event.alias) for event in told] == [
        (VersionEvent.CREATED, None),
        (VersionEvent.ALIAS_SET, "v1"),
        (VersionEvent.ALIAS_SET, "v2"),
    ]


def moved(ref: str, sha: object = COMMIT) -> Any:
    return PUSHED | {"updatedRefs": [{"ref": ref, "oldSha": None, "newSha": sha}]}


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (PUSHED, RegistryEvent(VersionEvent.CREATED, "openai-community/gpt2", COMMIT)),
        (moved("refs/tags/v1"), RegistryEvent(VersionEvent.ALIAS_SET, "openai-community/gpt2", COMMIT, alias="v1")),
    ],
)
def test_what_a_hub_tells(body: Any, event: RegistryEvent) -> None:
    assert hub_events(json.dumps(body).encode()) == [event]


NO_MODEL, NO_COMMIT = "It tells of no model's commits.", "It names no commit that could be fetched."
NOT_MOVED = "Neither main nor a tag was moved."


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            PUSHED | {"event": {"action": "create", "scope": "discussion.comment"}},
            "Nothing follows from discussion.comment.create.",
        ),
        (PUSHED | {"event": {"action": "update", "scope": "repo.config"}}, "Nothing follows from repo.config.update."),
        (PUSHED | {"repo": PUSHED["repo"] | {"type": "dataset"}}, NO_MODEL),
        (PUSHED | {"repo": PUSHED["repo"] | {"name": "../gpt2"}}, NO_COMMIT),
        (PUSHED | {"repo": None}, NO_MODEL),
        (PUSHED | {"updatedRefs": None}, NO_MODEL),
        (PUSHED | {"updatedRefs": [None, {}, {"ref": 3}]}, NOT_MOVED),
        (moved("refs/pr/1"), NOT_MOVED),
        (moved("refs/heads/wip"), NOT_MOVED),
        (moved("refs/heads/main", None), NO_COMMIT),
        (moved("refs/heads/main", "main"), NO_COMMIT),
        ([], "Nothing follows from unknown."),
    ],
)
def test_what_starts_nothing_says_why(body: Any, reason: str) -> None:
    assert hub_events(json.dumps(body).encode()) == Ignored(reason)
