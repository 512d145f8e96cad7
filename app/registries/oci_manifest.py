"""An artifact of an OCI registry: its manifest, the layers that are its files, and what names content in one."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from app.egress.answers import malformed
from app.errors import EgressFailure
from app.registries.base import Version
from app.registries.server_answers import Json, objects, safe_path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
RESULT = "application/vnd.salience-audit.result.v1+json"
"""Of the artifact that is written back."""
TITLE, FILEPATH = "org.opencontainers.image.title", "org.cncf.model.filepath"
"""Annotations of a layer that say which file it is: of oras, and of ModelPack."""
UNPACK = "io.deis.oras.content.unpack"
"""Of a folder that oras packed."""
CREATED = "org.opencontainers.image.created"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """Of one artifact, as it is kept."""

    repository: str
    digest: str
    body: bytes = field(repr=False)
    told: Json = field(repr=False)

    @property
    def media_type(self) -> str:
        return str(self.told.get("mediaType") or MANIFEST)

    @property
    def version(self) -> Version:
        """Its annotations are its tags."""
        annotations = self.told.get("annotations")
        tags = {str(key): str(value) for key, value in annotations.items()} if isinstance(annotations, dict) else {}
        return Version(self.repository, self.digest, created_ms=_created_ms(tags.get(CREATED)), tags=tags)

    def layers(self) -> dict[str, str]:
        """Digests by file. Raises EgressFailure for what is no artifact with files."""
        if self.told.get("artifactType") == RESULT:
            raise EgressFailure("registry-not-found", "The artifact is a verdict of this service, and no model.")
        found: dict[str, str] = {}
        for layer in objects(self.told.get("layers")):
            name, digest = _file_of(layer), str(layer.get("digest"))
            if name is None:
                continue
            if not DIGEST.fullmatch(digest) or name in found:
                raise malformed("a layer has no digest by SHA-256, or the name of another")
            found[safe_path(name)] = digest
        return found


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> Json:
    """What names content in a manifest."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def is_fallback(tag: str) -> bool:
    """Whether it is the tag of an index of referrers."""
    return bool(DIGEST.fullmatch(tag.replace("-", ":", 1)))


def _file_of(layer: Json) -> str | None:
    """None of archives, which are not opened, and of what has no name. oras calls every file a tar."""
    media_type, annotations = str(layer.get("mediaType")), layer.get("annotations")
    named = annotations if isinstance(annotations, dict) else {}
    title, path = (named.get(key) for key in (TITLE, FILEPATH))
    if media_type.endswith(("+gzip", "+zstd")) or named.get(UNPACK) == "true":
        return None
    if isinstance(title, str):
        return title
    if isinstance(path, str):
        return None if media_type.endswith(".tar") else path
    return "model.safetensors" if media_type.endswith("safetensors") else None


def _created_ms(text: str | None) -> int:
    """0 where nobody says, so that no sweep takes it for new."""
    try:
        return int(datetime.fromisoformat(text or "").timestamp() * 1000)
    except ValueError:
        return 0
