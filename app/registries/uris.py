"""The addresses of versions: ``models:/NAME/VERSION``, ``models:/NAME@ALIAS``, ``hf://OWNER/REPOSITORY@REVISION``,
``https://HOST/PATH#sha256=DIGEST``, ``s3://BUCKET/FOLDER``, ``file:///FOLDER``; data sets of a Hub are
``hf://datasets/OWNER/REPOSITORY@REVISION``. ``oci://HOST/REPOSITORY@sha256:DIGEST`` and ``oci://HOST/REPOSITORY:TAG``.
"""

from urllib.parse import urlsplit

from app.registries.uri_forms import FileUri, HubUri, ModelUri, OciUri, S3Uri, WebUri

FOLDER = "folder"
"""What is fetched over no connection."""
_READ = {
    "mlflow": ModelUri.read,
    "huggingface": HubUri.read,
    "http": WebUri.read,
    "s3": S3Uri.read,
    "oci": OciUri.read,
    FOLDER: FileUri.read,
}
SCHEMES = {
    "mlflow": "models:/",
    "huggingface": "hf://",
    "http": "http",
    "s3": "s3://",
    "oci": "oci://",
    FOLDER: "file:///",
}
"""How addresses begin, by the kind of the connection that they are fetched over."""

FOLLOWED = {"mlflow": "models:/{}/{}", "huggingface": "hf://{}@{}", "oci": "oci://{host}/{}@{}"}
"""Of kinds that tell of versions: the address of a name and a version. Files and folders tell of none."""
MOST_LETTERS = 600
"""Of an address."""
SOME_URL = "https://registry.example.com"


def kind_of(text: str) -> str:
    """Of the connection that an address is for. Raises ValueError."""
    kind = next((kind for kind, scheme in SCHEMES.items() if text.startswith(scheme)), None)
    if kind is None:
        raise ValueError(f"an address begins with {' or '.join(SCHEMES.values())}")
    _READ[kind](text)
    return kind


def fetching_kinds(below: str | None) -> list[str]:
    """Of connections, those over which files below an address are fetched; None: what has a name and a version."""
    if below is None:
        return list(FOLLOWED)
    return [kind for kind, scheme in SCHEMES.items() if kind not in FOLLOWED and below.startswith(scheme)]


def is_file_address(text: str) -> bool:
    """Whether it names files of a bucket or a web server."""
    try:
        return len(text) <= MOST_LETTERS and kind_of(text) in {"s3", "http"}
    except ValueError:
        return False


def uri_of(kind: str, name: str, version: str, url: str = SOME_URL) -> str:
    """The address of a version that an event names; ``url`` is the connection's, of which OCI's has the host.

    Raises ValueError, also for a kind that has no versions.
    """
    if kind not in FOLLOWED:
        raise ValueError(f"a connection of kind {kind} has no versions")
    uri = FOLLOWED[kind].format(name, version, host=urlsplit(url).netloc)
    _READ[kind](uri)
    return uri
