"""What each kind of address says: how it is written, and its parts."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from app.domain.stored_text import UNPRINTABLE

_FORM = re.compile(
    rf"models:/(?P<name>[^/@{UNPRINTABLE}]{{1,250}})"
    r"(?:/(?P<version>[0-9]{1,18})|@(?P<alias>[A-Za-z0-9_.-]{1,250}))"
)
HUB_DATASETS = "hf://datasets/"
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}"
_HUB = re.compile(
    rf"hf://(?P<kind>datasets/)?(?P<repository>(?:{_PART}/)?{_PART})(?:@(?P<revision>[A-Za-z0-9_][A-Za-z0-9_./-]{{0,199}}))?"
)
_WEB = re.compile(
    r"(?P<address>https?://[^/?#\s]+/(?:[A-Za-z0-9._~/+@=,:;!$&'()*-]|%[0-9A-Fa-f]{2}){1,400})"
    r"#sha256=(?P<sha256>[0-9a-f]{64})"
)
_NAME = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_OCI = re.compile(
    rf"oci://(?P<host>[A-Za-z0-9.-]{{1,253}}(?::[0-9]{{1,5}})?)/(?P<repository>{_NAME}(?:/{_NAME}){{0,9}})"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))"
)
_S3 = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
    r"(?:/(?P<folder>[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,400}?))?/?"
)


@dataclass(frozen=True)
class ModelUri:
    """One of ``version`` and ``alias`` is set."""

    name: str
    version: str | None
    alias: str | None

    @classmethod
    def read(cls, text: str) -> "ModelUri":
        """Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("a version is named as models:/NAME/VERSION or models:/NAME@ALIAS")
        return cls(found["name"], found["version"], found["alias"])


@dataclass(frozen=True)
class HubUri:
    """A repository, and what names one of its commits: a branch, a tag, or its digest."""

    repository: str
    revision: str
    is_dataset: bool = False

    @classmethod
    def read(cls, text: str) -> "HubUri":
        """Raises ValueError."""
        found = _HUB.fullmatch(text)
        if found is None or ".." in text:
            raise ValueError("a repository of a Hub is named as hf://OWNER/REPOSITORY@REVISION")
        return cls(found["repository"], found["revision"] or "main", found["kind"] is not None)


@dataclass(frozen=True)
class WebUri:
    """A file, pinned: nothing else says which bytes an address has."""

    address: str
    sha256: str

    @classmethod
    def read(cls, text: str) -> "WebUri":
        """Raises ValueError."""
        found = _WEB.fullmatch(text)
        if found is None:
            raise ValueError(
                "a file is named as https://HOST/PATH#sha256=DIGEST, without ? and with 64 hex digits; a repository of "
                "a Hub as hf://OWNER/REPOSITORY@REVISION"
            )
        return cls(found["address"], found["sha256"])


@dataclass(frozen=True)
class S3Uri:
    """A folder of a bucket, or one file; its names are as they are, and not encoded."""

    bucket: str
    folder: str
    """Empty where it is the whole bucket."""

    @classmethod
    def read(cls, text: str) -> "S3Uri":
        """Raises ValueError."""
        found = _S3.fullmatch(text)
        folder = "" if found is None else found["folder"] or ""
        if found is None or (folder and any(part in {"", ".", ".."} for part in folder.split("/"))):
            raise ValueError(
                "what lies in a bucket is named as s3://BUCKET, s3://BUCKET/FOLDER or s3://BUCKET/FOLDER/FILE"
            )
        return cls(found["bucket"], folder)

    @property
    def name(self) -> str:
        """With its bucket."""
        return f"{self.bucket}/{self.folder}" if self.folder else self.bucket

    @property
    def prefix(self) -> str:
        """Of the keys of what lies in it."""
        return f"{self.folder}/" if self.folder else ""


@dataclass(frozen=True)
class OciUri:
    """An artifact, by its digest or by a tag that stands for one."""

    host: str
    repository: str
    reference: str

    @classmethod
    def read(cls, text: str) -> "OciUri":
        """Raises ValueError."""
        found = _OCI.fullmatch(text)
        if found is None:
            raise ValueError("an artifact is named as oci://HOST/REPOSITORY@sha256:DIGEST or oci://HOST/REPOSITORY:TAG")
        return cls(found["host"], found["repository"], found["digest"] or found["tag"])


@dataclass(frozen=True)
class FileUri:
    """A folder of the operator's, or one file."""

    path: str

    @classmethod
    def read(cls, text: str) -> "FileUri":
        """Raises ValueError."""
        path = unquote(text.removeprefix("file://")).rstrip("/")
        parts = path.split("/")[1:]
        if not text.startswith("file:///") or not parts or any(part in {"", ".", ".."} for part in parts):
            raise ValueError("a folder of the operator's is named as file:///FOLDER, by its whole path")
        if "\0" in path:
            raise ValueError("no folder's name has a character NUL")
        return cls(path)
