"""Which events a policy follows, and what it says of one that it does not: names, kinds of events, tags, aliases."""

from typing import Any

import pytest

from app.hooks.events import RegistryEvent, VersionEvent, mlflow_event
from app.policies.matching import why_not
from app.policies.schemas import PolicyRequest
from tests.registries.signing import delivery

ID = "01a20000-0000-7000-8000-000000000001"
CREATED, TAG_SET, ALIAS_SET = VersionEvent.CREATED, VersionEvent.TAG_SET, VersionEvent.ALIAS_SET
KINDS = [CREATED, TAG_SET, ALIAS_SET]


def policy(match: dict[str, Any], **more: Any) -> PolicyRequest:
    named = {"name": "p", "connection_id": ID, "dataset_id": ID}
    return PolicyRequest.model_validate(named | {"match": {"model": "*"} | match} | more)


def event(kind: VersionEvent = CREATED, name: str = "faces", **told: Any) -> RegistryEvent:
    return RegistryEvent(kind, name, "1", **told)


@pytest.mark.parametrize(
    ("match", "told", "reason"),
    [
        # Names: the whole of one, its case, and what stands for what.
        ({"model": "faces"}, event(), None),
        ({"model": "face"}, event(), "The model's name is not face."),
        ({"model": "faces-*"}, event(name="faces-v2"), None),
        ({"model": "faces-*"}, event(name="faces"), "The model's name is not faces-*."),
        ({"model": "Faces"}, event(), "The model's name is not Faces."),
        ({"model": "face?"}, event(), None),
        ({"model": "[fg]aces"}, event(name="gaces"), None),
        ({"model": "[!f]aces"}, event(), "The model's name is not [!f]aces."),
        ({"model": "team/*"}, event(name="team/faces/small"), None),
        ({"model": "team.faces"}, event(name="team/faces"), "The model's name is not team.faces."),
        # Kinds of events: new versions where nothing is said.
        ({}, event(), None),
        ({}, event(TAG_SET), "It does not follow model_version_tag.set."),
        ({}, event(ALIAS_SET, alias="champion"), "It does not follow model_version_alias.created."),
        ({"events": [TAG_SET]}, event(TAG_SET, tags={"stage": "candidate"}), None),
        ({"events": [TAG_SET]}, event(), "It does not follow model_version.created."),
        ({"events": KINDS}, event(ALIAS_SET, alias="champion"), None),
        # Tags: each that is named must be told of, whatever else is.
        ({"tags": {"stage": "cand*"}}, event(tags={"stage": "candidate", "owner": "us"}), None),
        (
            {"tags": {"stage": "cand*"}},
            event(tags={"stage": "old"}),
            "The event tells of no tag stage that is cand*.",
        ),
        ({"tags": {"stage": "*"}}, event(), "The event tells of no tag stage that is *."),
        (
            {"tags": {"stage": "*", "owner": "us"}},
            event(tags={"stage": "a"}),
            "The event tells of no tag owner that is us.",
        ),
        ({"events": KINDS, "tags": {"stage": "ready"}}, event(TAG_SET, tags={"stage": "ready"}), None),
        # A tag that was set is told alone: the version's others are not in the event.
        (
            {"events": [TAG_SET], "tags": {"stage": "ready"}},
            event(TAG_SET, tags={"owner": "us"}),
            "The event tells of no tag stage that is ready.",
        ),
        # Aliases: of alias events alone.
        ({"events": KINDS, "aliases": ["cand*", "champion"]}, event(ALIAS_SET, alias="champion"), None),
        (
            {"events": KINDS, "aliases": ["cand*", "champion"]},
            event(ALIAS_SET, alias="old"),
            "The alias is none of cand*, champion.",
        ),
        ({"events": KINDS, "aliases": ["champion"]}, event(), None),
        ({"events": KINDS, "aliases": ["champion"]}, event(ALIAS_SET), "The alias is none of champion."),
    ],
)
def test_what_a_policy_follows(match: dict[str, Any], told: RegistryEvent, reason: str | None) -> None:
    assert why_not(policy(match), told) == reason


def test_the_alias_that_it_moves_is_its_own_echo() -> None:
    """Also where its globs would take it; another one it follows."""
    moving = policy({"events": KINDS, "aliases": ["*"]}, write_back={"alias_on_pass": "audited"})
    told = why_not(moving, event(ALIAS_SET, alias="audited"))
    assert told == "The alias is the one that the policy itself moves."
    assert why_not(moving, event(ALIAS_SET, alias="champion")) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (delivery("model_version_alias", "created", name="faces", version="3", alias="champion"), None),
        (
            delivery("model_version_alias", "created", name="faces", version="3", alias="old"),
            "The alias is none of champion.",
        ),
        (delivery("model_version_tag", "set", name="faces", version="3", key="stage", value="ready"), None),
        (
            delivery("model_version_tag", "set", name="faces", version="3", key="stage", value="draft"),
            "The event tells of no tag stage that is ready.",
        ),
    ],
)
def test_what_mlflow_tells_of_aliases_and_tags(body: bytes, reason: str | None) -> None:
    """As its server sends them; two policies, one for each."""
    told = mlflow_event(body)
    assert isinstance(told, RegistryEvent)
    wanted = {"aliases": ["champion"]} if told.kind is ALIAS_SET else {"tags": {"stage": "ready"}}
    assert why_not(policy({"events": [told.kind]} | wanted), told) == reason
    assert (told.model_name, told.version) == ("faces", "3")
