"""One reading of BROKER_URL for whoever speaks to the broker: the sender, the worker, rate limits and the checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from app.errors import SalienceError

_SCHEMES = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss"}
_FORM = (
    "BROKER_URL has the form redis://:password@host:6379/0, or rediss:// with TLS; valkey:// and valkeys:// likewise"
)
CHECK_SECONDS = 5.0
_VERIFY = ("none", "optional", "required")
_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_NO = ("false", "0", "no")
_IN_CLEAR: Mapping[str, Any] = MappingProxyType({})


class BrokerUrlInvalid(SalienceError):
    """BROKER_URL, or the file that it or BROKER_CA_FILE names, cannot be used."""

    def __init__(self, why: str) -> None:
        super().__init__("broker-url-invalid", f"The broker cannot be used: {why}.")


@dataclass(frozen=True)
class Broker:
    """Where it is, and how TLS is spoken: empty where it is not.

    The server's certificate and name are verified unless the URL says ``ssl_cert_reqs=none``.
    """

    url: str
    tls: Mapping[str, Any]

    @classmethod
    def read(cls, url: str, ca_file: str | None = None) -> "Broker":
        """``ca_file`` holds the certificates to trust, in PEM; None: the system's. Raises BrokerUrlInvalid."""
        parts = _split(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        options = {name: value for name, value in query if name.startswith("ssl_")}
        scheme = _SCHEMES[parts.scheme]
        plain = parts._replace(scheme=scheme, query=urlencode([pair for pair in query if pair[0] not in options]))
        if scheme == "redis":
            return cls(plain.geturl(), _IN_CLEAR)
        return cls(plain.geturl(), _tls({"ssl_ca_certs": ca_file or ""} | options))

    def check(self) -> None:
        """Raises BrokerUrlInvalid for a fault that waiting does not mend; a broker that is away passes."""
        try:
            with self.client(CHECK_SECONDS) as client:
                client.ping()
        except AuthenticationError:
            raise BrokerUrlInvalid("it refuses the user or the password in BROKER_URL") from None
        except ResponseError as error:
            raise BrokerUrlInvalid(f"it answers {str(error).rstrip('.')}; correct BROKER_URL") from None
        except (RedisError, OSError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                advice = "name the authority that signed it in BROKER_CA_FILE"
                raise BrokerUrlInvalid(f"its certificate cannot be verified; {advice}") from None

    def client(self, seconds: float) -> Redis:
        """Gives a silent broker up after so long."""
        return Redis.from_url(self.url, socket_timeout=seconds, socket_connect_timeout=seconds, **self.tls)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        known = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise BrokerUrlInvalid(f"this is no address of one; {_FORM}")
    return parts


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    """Options as redis-py and Celery write them (``required``, ``CERT_REQUIRED``), for both."""
    verify = options.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if verify not in _VERIFY:
        raise BrokerUrlInvalid(f"ssl_cert_reqs in BROKER_URL is one of {', '.join(_VERIFY)}")
    unknown = options.keys() - {"ssl_cert_reqs", "ssl_check_hostname", *_FILES}
    if unknown:
        raise BrokerUrlInvalid(f"BROKER_URL has the unknown option {min(unknown)}")
    files = {name: options[name] for name in _FILES if options.get(name)}
    for name, file in files.items():
        if not Path(file).is_file():
            raise BrokerUrlInvalid(f"there is no file {file} ({name} in BROKER_URL, or BROKER_CA_FILE)")
    named = verify != "none" and options.get("ssl_check_hostname", "true").lower() not in _NO
    return {"ssl_cert_reqs": verify, "ssl_check_hostname": named, **files}
