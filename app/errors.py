"""Every error that this project raises on purpose.

SalienceError                    code and facts; no HTTP, no logging
├─ RequestError                  services raise it; app/http/problems.py maps it to a status
│  ├─ Unauthenticated            no API key, or none that is good
│  ├─ InsufficientScope          the key is good, but not for this
│  ├─ RateLimited                too many requests in a window of time
│  ├─ NotFound                   no such resource
│  ├─ MethodNotAllowed           the resource is there, but not for this method
│  ├─ Gone                       it was there: a retention setting removed it, or the store lost it
│  ├─ Conflict                   the resource's state forbids it now
│  │  └─ QuotaExceeded           the tenant has as much as it may have
│  ├─ Unprocessable              well-formed, but it cannot be done
│  ├─ TooLarge                   over a limit that is a setting
│  │  └─ HeadersTooLarge         so are the headers, before any body
│  ├─ TooSlow                    the body does not arrive in time
│  ├─ UnsupportedMediaType       content of a kind that is never accepted
│  ├─ InsufficientStorage        the disk is full
│  └─ Unavailable                a part that this needs is away
├─ EgressFailure                 an address that somebody chose did not answer as it should
│  └─ AddressNotAllowed          it is not public, and the operator does not allow it
└─ AuditFailure                  stored on the audit or the resource, never an HTTP error
   ├─ InputFailure               final: the model, data set or sample is at fault
   ├─ TransientFailure           retried: storage or database away
   └─ MeasureFailure             final: our bug or the model's; logged as an error

A score that is undefined is not an error.
"""


class SalienceError(Exception):
    """Carries a stable ``code`` for programs and a ``detail`` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def to_problem(self) -> dict[str, object]:
        """The form in which it is stored on a resource."""
        return {"code": self.code, "detail": self.detail}


class RequestError(SalienceError):
    """The caller's request cannot be served."""

    def __init__(self, code: str, detail: str, *, errors: list[dict[str, object]] | None = None) -> None:
        super().__init__(code, detail)
        self.errors = errors or []


class Unauthenticated(RequestError):
    """No API key, or none that is good: which of the two is nobody's business. Likewise a registry's proof."""

    def __init__(self, detail: str = "Send a valid API key: Authorization: Bearer KEY.") -> None:
        super().__init__("unauthenticated", detail)


class InsufficientScope(RequestError):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        super().__init__("insufficient-scope", f"The key lacks the scope {scope}.")
        self.scope = scope


class RateLimited(RequestError):
    """Too many requests in a window of time."""

    def __init__(self, retry_seconds: int) -> None:
        super().__init__("rate-limited", f"Too many requests; come again in {retry_seconds} s.")
        self.retry_seconds = retry_seconds


class NotFound(RequestError):
    """No such resource."""

    def __init__(self, noun: str) -> None:
        super().__init__("not-found", f"No such {noun}.")


class MethodNotAllowed(RequestError):
    """The resource is there, but not for this method; ``allow`` names the one that is meant."""

    def __init__(self, detail: str, allow: str) -> None:
        super().__init__("method-not-allowed", detail)
        self.allow = allow


class Gone(RequestError):
    """It was there: a retention setting removed it, or the store lost it."""


class Conflict(RequestError):
    """The resource's state forbids it now."""


class QuotaExceeded(Conflict):
    """The tenant has as much as it may have."""

    def __init__(self, detail: str) -> None:
        super().__init__("quota-exceeded", detail)


class Unprocessable(RequestError):
    """Well-formed, but it cannot be done."""

    @classmethod
    def at(cls, detail: str, *field: str) -> "Unprocessable":
        """Because of a field of the body, which only what is stored shows to be wrong."""
        return cls("validation-error", detail, errors=[{"loc": ["body", *field], "msg": detail}])


class TooLarge(RequestError):
    """Over a limit that is a setting."""


class HeadersTooLarge(TooLarge):
    """The request's headers are over a limit that is a setting."""


class TooSlow(RequestError):
    """The body does not arrive in time."""


class UnsupportedMediaType(RequestError):
    """Content of a kind that is never accepted."""


class InsufficientStorage(RequestError):
    """The disk is full."""


class Unavailable(RequestError):
    """A part that this needs is away."""


class EgressFailure(SalienceError):
    """An address that somebody chose did not answer as it should; ``passing``: it may the next time."""

    def __init__(self, code: str, detail: str, *, passing: bool = False) -> None:
        super().__init__(code, detail)
        self.passing = passing


class AddressNotAllowed(EgressFailure):
    """It is not public, not in its usual form, or no web address; and the operator does not allow it."""

    def __init__(self, detail: str) -> None:
        super().__init__("address-not-allowed", detail)


class AuditFailure(SalienceError):
    """Stored on the audit, model or data set."""


class InputFailure(AuditFailure):
    """Final: the model, data set or sample is at fault. ``facts``: what a program needs for the way out, as JSON."""

    def __init__(self, code: str, detail: str, **facts: object) -> None:
        super().__init__(code, detail)
        self.facts = facts

    def to_problem(self) -> dict[str, object]:
        return {**super().to_problem(), **self.facts}


class TransientFailure(AuditFailure):
    """Passing: tried again."""


class MeasureFailure(AuditFailure):
    """Final: our bug or the model's."""
