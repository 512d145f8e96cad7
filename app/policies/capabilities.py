"""What a policy writes back, and which kinds of connection can take it."""

from typing import NamedTuple

from app.domain.vocabulary import ConnectionKind
from app.errors import Unprocessable
from app.policies.schemas import WriteBack
from app.registries.base import KeepsAliases, KeepsRuns, TakesProposals, TakesTags
from app.sources.registries import can

BY_WEBHOOK = "the webhook gate.passed tells whoever acts on the verdict"


class _Need(NamedTuple):
    """Of a field of `WriteBack`."""

    capability: type
    cannot: str
    way_out: str


_NEEDS = {
    "tags": _Need(TakesTags, "takes no tags", f"Leave it out: {BY_WEBHOOK}, and a Hub takes pull_request."),
    "alias_on_pass": _Need(KeepsAliases, "keeps no aliases that could be moved", f"Leave it out: {BY_WEBHOOK}."),
    "run": _Need(KeepsRuns, "keeps no runs of trainings", "Leave it out: the report is at the audit."),
    "pull_request": _Need(TakesProposals, "takes no pull requests", f"Leave it out: {BY_WEBHOOK}."),
}


def check_write_back(kind: ConnectionKind, asked: WriteBack) -> None:
    """Of what was asked for by name: what is on by default is passed over where there is no room for it. Raises
    Unprocessable."""
    for field, need in _NEEDS.items():
        if field in asked.model_fields_set and getattr(asked, field) and not can(kind, need.capability):
            able = ", ".join(one for one in ConnectionKind if can(one, need.capability))
            detail = f"A connection of kind {kind} {need.cannot}; of {able} it works. {need.way_out}"
            raise Unprocessable.at(detail, "write_back", field)
