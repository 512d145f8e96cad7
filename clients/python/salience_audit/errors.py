"""Every error that the client raises on purpose.

ClientError                  code for programs, detail for people
├─ ConfigurationError        no service is named, or not in a way that can be used
├─ UnreadableFile            what is to be sent cannot be read here
├─ Unreachable               no answer, although it was asked for several times
├─ TooSlow                   no answer in time to what is long in the making; asking again would make it anew
├─ ApiError                  the service's problem document: status, request id, fields at fault
├─ NoSuchName                nothing has this name
├─ Rejected                  the upload arrived, was looked into and refused
├─ AuditEnded                the audit failed or was cancelled
├─ ComparisonFailed          the comparison could not be computed
└─ MissingLibrary            pandas, polars, pyarrow or numpy is not installed
"""

from typing import Any

Json = dict[str, Any]
"""A resource as the API shows it."""


class ClientError(Exception):
    """Something that its caller can act on; ``code`` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def to_json(self) -> Json:
        """For programs."""
        return {"code": self.code, "detail": self.detail}


class ConfigurationError(ClientError):
    """No service is named, or not in a way that can be used."""


class UnreadableFile(ClientError):
    """What is to be sent cannot be read here."""


class Unreachable(ClientError):
    """No answer, although it was asked for several times."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__("unreachable", f"No service answers at {url} ({why}).")


class TooSlow(ClientError):
    """No answer in time to what is long in the making; asking again would make it anew."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__("too-slow", f"{url} did not answer within {seconds:g} seconds.")


class ApiError(ClientError):
    """The service's problem document (RFC 9457).

    ``status`` is HTTP's; ``request_id`` finds the request in the service's logs; ``errors`` are fields at fault, each
    with ``loc`` and ``msg``, which ``str()`` names too.
    """

    def __init__(self, problem: Json, status: int) -> None:
        super().__init__(problem["code"], problem["detail"])
        self.status = status
        self.request_id: str | None = problem.get("request_id")
        self.errors: list[Json] = [one for one in problem.get("errors") or [] if {"loc", "msg"} <= set(one)]

    def __str__(self) -> str:
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in self.errors)
        return "; ".join([super().__str__(), *faults])

    def to_json(self) -> Json:
        known = {"status": self.status, "request_id": self.request_id}
        return super().to_json() | known | ({"errors": self.errors} if self.errors else {})


class NoSuchName(ClientError):
    """Nothing has this name."""

    def __init__(self, noun: str, name: str) -> None:
        super().__init__("no-such-name", f"No {noun} is named {name!r}, and that is no id.")


class _Refused(ClientError):
    """Tells the problem that the service stored on a resource."""

    def __init__(self, resource: Json, fact: str) -> None:
        problem = resource.get("problem") or {"code": resource["status"], "detail": "No reason is known."}
        super().__init__(problem["code"], f"{fact}: {problem['detail']}")
        self.resource = resource

    def to_json(self) -> Json:
        return super().to_json() | {"id": self.resource["id"], "status": self.resource["status"]}


class Rejected(_Refused):
    """The upload arrived, was looked into and refused; ``resource`` is the model or data set."""

    def __init__(self, resource: Json) -> None:
        super().__init__(resource, f"{resource['name']!r} is rejected")


class AuditEnded(_Refused):
    """The audit failed or was cancelled; ``resource`` is the audit."""

    def __init__(self, audit: Json) -> None:
        if audit["status"] == "cancelled":
            audit = audit | {"problem": {"code": "audit-cancelled", "detail": "somebody cancelled it."}}
        super().__init__(audit, f"Audit {audit['id']} has {'failed' if audit['status'] == 'failed' else 'no results'}")


class ComparisonFailed(_Refused):
    """The comparison could not be computed; ``resource`` is the comparison."""

    def __init__(self, comparison: Json) -> None:
        super().__init__(comparison, f"Comparison {comparison['id']} has failed")


class MissingLibrary(ClientError):
    """pandas, polars, pyarrow or numpy is not installed."""

    def __init__(self, name: str) -> None:
        advice = "pip install 'salience-audit-client[frames]'"
        super().__init__("missing-library", f"{name} is not installed: {advice}, or read the numbers as JSON.")
