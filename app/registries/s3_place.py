"""A folder of a bucket that is listed, and whose objects are read where they lie."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.errors import EgressFailure
from app.registries.listed import WORDS_BYTES, Listed, Page, exactly
from app.registries.paging import pages
from app.registries.s3_answers import Decoder, decoder, key_of, size_of, text_of
from app.registries.s3_store import S3Store, object_path
from app.registries.uri_forms import S3Uri

ETAG, VERSION = "etag:", "version:"
"""What begins a pin."""


@dataclass(frozen=True)
class S3Place:
    """One folder, listed in the order of its keys, from behind any of them: each object by its version where the
    bucket keeps them, else by its ETag."""

    store: S3Store
    named: S3Uri

    def pages(self, cursor: str | None, beginning: str = "") -> Iterator[Page]:
        """As of any `Place`."""
        if self.store.keeps_versions(self.named.bucket):
            try:
                yield from self.versions(cursor or "", beginning)
            except EgressFailure as failure:
                # To list versions is a right of its own; refused, it is so from the first page on.
                if failure.code != "registry-refuses":
                    raise
            else:
                return
        yield from self.current(cursor or "", beginning)

    def current(self, behind: str, beginning: str = "") -> Iterator[Page]:
        """By ETags, behind that key."""
        prefix = self.named.prefix + beginning

        def page(before: str | None) -> tuple[Page, str | None]:
            after = {"start_after": before} if before else {}
            root = self.store.list_page(self.named.bucket, list_type="2", prefix=prefix, **after)
            found = root.findall("{*}Contents")
            return self._page(root, found, found, before)

        return pages(page, behind)

    def versions(self, behind: str, beginning: str = "") -> Iterator[Page]:
        """By versions, of which the latest of a key come first."""
        prefix = self.named.prefix + beginning

        def page(before: str | None) -> tuple[Page, str | None]:
            after = {"key_marker": before} if before else {}
            root = self.store.list_page(self.named.bucket, versions="", prefix=prefix, **after)
            latest = [one for one in root.iterfind("{*}Version") if text_of(one, "IsLatest") == "true"]
            # The last key that was told: behind it the next page begins, and older versions of it are not asked for.
            told = [one for one in root if one.tag.endswith(("}Version", "}DeleteMarker"))]
            return self._page(root, latest, told, before)

        return pages(page, behind)

    def _page(
        self, root: Element, found: list[Element], told: list[Element], before: str | None
    ) -> tuple[Page, str | None]:
        """What an answer lists, and the key that the next page begins behind, if there is one."""
        decoded = decoder(root)
        last = key_of(told[-1], decoded) if told else before
        is_cut = text_of(root, "IsTruncated").lower() == "true"
        return Page([*self._objects(found, decoded)], last or None), last if is_cut else None

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        is_whole = (offset, length) == (0, listed.size)
        headers = {} if is_whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        version = listed.pin.removeprefix(VERSION) if listed.pin.startswith(VERSION) else None
        if version is None:
            headers["If-Match"] = listed.pin.removeprefix(ETAG)
        path = object_path(self.named.bucket, self.named.prefix + listed.key, version)
        with self.store.get(path, headers, length + WORDS_BYTES) as download:
            return exactly(download, listed, length, is_whole=is_whole)

    def _objects(self, found: Iterable[Element], decoded: Decoder) -> Iterator[Listed]:
        """Without the empty objects that stand for folders."""
        for one in found:
            key, version = key_of(one, decoded), text_of(one, "VersionId")
            if key.startswith(self.named.prefix) and not key.endswith("/"):
                # What was put there while a bucket kept no versions has the version null, and may be written over.
                pin = f"{VERSION}{version}" if version not in {"", "null"} else f"{ETAG}{text_of(one, 'ETag')}"
                yield Listed(key.removeprefix(self.named.prefix), pin, size_of(one))
