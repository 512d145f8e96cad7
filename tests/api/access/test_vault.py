"""Secrets at rest: sealed under the newest key, opened with any, and lost with a sentence that says why."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.access.secret import KEYS_FILE, own_encryption_keys
from app.access.vault import Vault
from app.errors import SalienceError, Unavailable
from app.settings import Settings

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_opens_what_it_sealed() -> None:
    vault = Vault.of(Settings(encryption_keys=NEW))
    sealed = vault.seal("wörd")
    assert b"w\xc3\xb6rd" not in sealed
    assert vault.open(sealed) == "wörd"
    assert vault.resealed(sealed) is None


def test_keys_are_changed() -> None:
    sealed = Vault(OLD).seal("word")
    both = Vault(f"{NEW}, {OLD}")
    again = both.resealed(sealed)
    assert again is not None
    assert Vault(NEW).open(again) == both.open(sealed) == "word"
    with pytest.raises(Unavailable, match="none of ENCRYPTION_KEYS"):
        Vault(NEW).open(sealed)


def test_without_keys_nothing_is_kept() -> None:
    vault = Vault.of(Settings(encryption_keys=None))
    assert not vault.has_keys
    with pytest.raises(Unavailable, match="has to set ENCRYPTION_KEYS"):
        vault.seal("word")


def test_a_bad_key_is_not_shown() -> None:
    with pytest.raises(SalienceError, match="must hold Fernet keys") as refused:
        Vault("not-a-key")
    assert "not-a-key" not in str(refused.value)
    assert "not-a-key" in Settings(encryption_keys="not-a-key").secrets()


def test_a_service_keeps_its_own(tmp_path: Path) -> None:
    keys = own_encryption_keys(tmp_path)
    assert Vault(keys).has_keys
    assert own_encryption_keys(tmp_path) == keys
    assert (tmp_path / KEYS_FILE).stat().st_mode & 0o777 == 0o600
