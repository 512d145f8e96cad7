"""Where things run and lie."""

from enum import StrEnum


class SandboxLayer(StrEnum):
    """What keeps code that gets into a model's process from doing harm (docs/security.md)."""

    LIMITS = "limits"
    PRIVILEGES = "privileges"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"


class ConnectionKind(StrEnum):
    """The registries that are spoken to."""

    MLFLOW = "mlflow"
    HUGGINGFACE = "huggingface"
    HTTP = "http"
    S3 = "s3"
    OCI = "oci"


class DeviceClass(StrEnum):
    """The kinds of processor. An audit runs on one: their scores differ in the last bits."""

    CPU = "cpu"
    GPU = "gpu"


SCHEME = "sha256:"
"""Begins the digest of a blob."""
