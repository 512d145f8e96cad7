"""Secrets that have to be told to others, so that they cannot be hashed: encrypted where they are stored.

Whoever reads the database, or a backup of it without the keys, learns none.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.problems.integrations import KEYS_MISSING
from app.errors import SalienceError, Unavailable
from app.settings import Settings


class Vault:
    """Encrypts with the first of ``ENCRYPTION_KEYS`` and decrypts with any of them."""

    def __init__(self, keys: str | None) -> None:
        """Separated by commas. Raises SalienceError ``encryption-keys-invalid``, which does not show them."""
        named = [key.strip() for key in (keys or "").split(",") if key.strip()]
        try:
            self._keys = [Fernet(key) for key in named]
        except ValueError:
            raise SalienceError(
                "encryption-keys-invalid", "ENCRYPTION_KEYS must hold Fernet keys: 32 bytes each, in URL-safe base64."
            ) from None

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        """Raises SalienceError ``encryption-keys-invalid``."""
        return cls(settings.encryption_keys)

    @property
    def has_keys(self) -> bool:
        return bool(self._keys)

    def seal(self, secret: str) -> bytes:
        """Raises Unavailable ``encryption-keys-missing``."""
        return self._all().encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """Raises Unavailable ``encryption-keys-missing``, or ``encryption-key-unknown`` where none of them fits."""
        try:
            return self._all().decrypt(sealed).decode()
        except InvalidToken:
            raise Unavailable(
                "encryption-key-unknown", "A stored secret was encrypted with none of ENCRYPTION_KEYS: add its key."
            ) from None

    def resealed(self, sealed: bytes) -> bytes | None:
        """The same under the first key; None where it is already. Raises Unavailable as ``open`` does."""
        try:
            self._all()
            self._keys[0].decrypt(sealed)
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None

    def _all(self) -> MultiFernet:
        if not self._keys:
            raise KEYS_MISSING.error()
        return MultiFernet(self._keys)
