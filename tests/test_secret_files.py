"""A secret may stand in a file that an orchestrator mounts."""

from pathlib import Path

import pytest

from app.settings import SecretUnreadable, Settings, secret_settings


@pytest.mark.parametrize("variable", secret_settings())
def test_of_every_secret(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv(variable, "from the variable")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    settings = Settings()
    assert getattr(settings, variable.lower()) == "from the file"
    assert "from the file" not in repr(settings)


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY_SECRET_FILE", "/nowhere/secret")
    with pytest.raises(SecretUnreadable, match="API_KEY_SECRET_FILE cannot be read: /nowhere/secret: No such file"):
        Settings()


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOG_FORMAT", "SHARD_SAMPLES", "RATE_WINDOW_SECONDS", "TRUSTED_PROXIES"):
        monkeypatch.setenv(name, "")
    assert Settings() == Settings(log_format=None, shard_samples=None, rate_window_seconds=60)
