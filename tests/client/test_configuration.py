"""Which service a client speaks to, with which key."""

from pathlib import Path

import pytest

from app.server_file import ServerFile
from salience_audit import Client
from salience_audit.configuration import Address, find_service
from salience_audit.errors import ConfigurationError

URLS = tuple(f"http://127.0.0.1:{port}" for port in (1, 2, 3, 4))


def written(tmp_path: Path, text: str, name: str = "config/salience-audit/config.toml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class TestWhichGoesFirst:
    def test_arguments_environment_file_running_service(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ServerFile(tmp_path / "data").write(URLS[3], "key of the running service")
        assert find_service() == Address(URLS[3], "key of the running service")
        written(tmp_path, f'url = "{URLS[2]}/"\napi_key = "key of the file"')
        assert find_service() == Address(URLS[2], "key of the file")
        other = written(tmp_path, f'url = "{URLS[0]}"', "other.toml")
        assert find_service(config=other) == Address(URLS[0], None)
        monkeypatch.setenv("SALIENCE_AUDIT_CONFIG", str(other))
        assert find_service() == Address(URLS[0], None)
        monkeypatch.delenv("SALIENCE_AUDIT_CONFIG")
        monkeypatch.setenv("SALIENCE_AUDIT_API_KEY", "key of the environment")
        assert find_service() == Address(URLS[2], "key of the environment")
        monkeypatch.setenv("SALIENCE_AUDIT_URL", URLS[1])
        assert find_service() == Address(URLS[1], "key of the environment")
        assert find_service(api_key="key of the call") == Address(URLS[1], "key of the call")
        assert find_service(URLS[0], "key of the call") == Address(URLS[0], "key of the call")

    def test_a_key_goes_to_its_own_service_alone(self, tmp_path: Path) -> None:
        ServerFile(tmp_path / "data").write(URLS[3], "key of the running service")
        written(tmp_path, f'url = "{URLS[2]}"\napi_key = "key of the file"')
        assert find_service(URLS[0]) == Address(URLS[0], None)
        assert find_service(URLS[2]) == Address(URLS[2], "key of the file")
        written(tmp_path, 'api_key = "key of the file"')
        assert find_service(URLS[0]) == Address(URLS[0], "key of the file")

    def test_a_service_that_runs_is_found(
        self, client: Client, open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SALIENCE_AUDIT_DATA", str(open_folder / "service"))
        with Client() as found:
            assert found.url == client.url
            assert found.protocols() == client.protocols()


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("url = nothing", "is no TOML"),
            ('urls = "http://a"', "urls is not known. It may have url and api_key"),
            ("api_key = 12345678", "api_key must be a text"),
            ('url = "localhost:8000"', "'localhost:8000' is no address of a service"),
        ],
    )
    def test_of_the_file(self, tmp_path: Path, text: str, words: str) -> None:
        path = written(tmp_path, text)
        with pytest.raises(ConfigurationError, match=words) as told:
            find_service()
        assert "12345678" not in told.value.detail
        assert str(path) in told.value.detail or "address" in words

    def test_a_file_that_is_named_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"none.toml cannot be read: No such file"):
            find_service(config=tmp_path / "none.toml")

    def test_nothing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="Start one with `salience-audit serve`, or name one") as told:
            Client()
        assert str(tmp_path / "data") in told.value.detail

    @pytest.mark.parametrize("url", ["", "127.0.0.1", "ftp://a", "http://", "http://a:b"])
    def test_of_the_address(self, url: str) -> None:
        with pytest.raises(ConfigurationError):
            find_service(url or "-", "key")

    def test_no_key_is_shown(self) -> None:
        assert "secret" not in repr(find_service(URLS[0], "secret"))
