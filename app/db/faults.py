"""What is wrong with the database, in one sentence with the way out; drivers name hosts and users, never passwords."""

import re

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

_START = "start Postgres, or correct host and port in DATABASE_URL"
_GRANT = "run `salience-audit migrate`, which mends that or says what an administrator has to grant"

FINAL = {
    r"password authentication failed|no password supplied|role \".*\" does not exist": (
        "correct user and password in DATABASE_URL"
    ),
    r"no encryption|SSL (connection|encryption)? ?is required|SSL off": (
        "the server wants TLS: add ?sslmode=require to DATABASE_URL"
    ),
    r"server does not support SSL": "the server has no TLS: take sslmode out of DATABASE_URL",
    r"certificate verify failed|root certificate file|server certificate for": (
        "name the certificate authority in DATABASE_URL: ?sslmode=verify-full&sslrootcert=FILE"
    ),
    r"no pg_hba.conf entry": "let this machine and user in (pg_hba.conf), or correct DATABASE_URL",
    r"database \".*\" does not exist": "make the database, or correct its name in DATABASE_URL",
    r"invalid (connection option|dsn|sslmode|URI|percent)|invalid port": "correct DATABASE_URL",
}
"""Reasons that waiting does not mend, by what the server or libpq says."""

OTHER = {
    r"permission denied to set role|row-level security|permission denied": _GRANT,
    r"does not exist": "run `salience-audit migrate`",
    r"read-only transaction": "name the primary server in DATABASE_URL: this one only reads",
    r"[Rr]efused|resolve|translate host|timeout|timed out|unreachable|closed|starting up|shutting down": _START,
}

_FORM = "DATABASE_URL has the form postgresql://user:password@host:5432/database"


def told(error: Exception) -> str:
    """One sentence: what, why, and what to do."""
    if isinstance(error, ArgumentError | NoSuchModuleError) or not isinstance(error, DBAPIError):
        return f"The database cannot be used: {_line(error)}; {_FORM}."
    why = _line(error)
    advice = next((advice for said, advice in (FINAL | OTHER).items() if re.search(said, _text(error))), None)
    return f"The database cannot be used: {why}; {advice or 'see `salience-audit doctor`'}."


def is_final(error: Exception) -> bool:
    """Whether waiting cannot mend it: a wrong password, no such database, TLS that one side does not speak."""
    if not isinstance(error, DBAPIError):
        return True
    return any(re.search(said, _text(error)) for said in FINAL)


def _line(error: Exception) -> str:
    """The driver's own words; where it tried several addresses, the last one's."""
    lines = [line.strip() for line in _text(error).splitlines() if line.strip()]
    found = next((line for line in reversed(lines) if "FATAL" in line), lines[0] if lines else type(error).__name__)
    said = re.sub(r"^.*?(FATAL|ERROR): +", "", found)
    return re.sub(r"^connection failed: ", "", said)[:300].rstrip(".")


def _text(error: Exception) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error)
