"""Whether a policy follows an event."""

from fnmatch import fnmatchcase

from app.hooks.events import RegistryEvent, VersionEvent
from app.policies.schemas import PolicyRequest


def why_not(policy: PolicyRequest, event: RegistryEvent) -> str | None:
    """None where it does."""
    match = policy.match
    if event.kind not in match.events:
        return f"It does not follow {event.kind}."
    if not fnmatchcase(event.model_name, match.model):
        return f"The model's name is not {match.model}."
    for name, wanted in match.tags.items():
        if name not in event.tags or not fnmatchcase(event.tags[name], wanted):
            return f"The event tells of no tag {name} that is {wanted}."
    if event.kind is VersionEvent.ALIAS_SET:
        return _why_not_alias(policy, event.alias or "")
    return None


def _why_not_alias(policy: PolicyRequest, alias: str) -> str | None:
    if alias == policy.write_back.alias_on_pass:
        return "The alias is the one that the policy itself moves."
    wanted = policy.match.aliases
    if wanted and not any(fnmatchcase(alias, glob) for glob in wanted):
        return f"The alias is none of {', '.join(wanted)}."
    return None
