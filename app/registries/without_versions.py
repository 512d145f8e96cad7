"""What files and folders answer that nobody follows."""

from collections.abc import Iterator

from app.errors import EgressFailure
from app.registries.base import Version, Wanted


class WithoutVersions:
    """Of files and folders that nobody follows: no hook and no policy may name them."""

    def version(self, name: str, version: str) -> Version:
        del name, version
        raise EgressFailure("registry-not-found", "Files and folders have no versions.")

    def aliased(self, name: str, alias: str) -> Version:
        del name, alias
        raise EgressFailure("registry-not-found", "Files and folders have no aliases.")

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """None: nothing lists them."""
        del wanted
        return iter(())

    def aliases(self, wanted: Wanted) -> Iterator[tuple[str, Version]]:
        del wanted
        return iter(())

    def tagged(self, wanted: Wanted) -> Iterator[Version]:
        del wanted
        return iter(())
