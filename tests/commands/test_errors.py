"""A refusal says what is wrong, where, and what to do; it exits with 3, and with --json it is a document too."""

from pathlib import Path

from app.embedded.ports import free_port
from app.server_file import ServerFile
from salience_audit import Client
from tests.commands.conftest import Commands
from tests.waiting import WEIGHTS


def refused(cli: Commands, *arguments: str, **variables: str) -> str:
    done = cli(*arguments, **variables)
    assert (done.status, done.out) == (3, "")
    return done.err


def test_nobody_there(cli: Commands) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = cli("models", "list", "--url", url, "--api-key", "any", "--json")
    assert (done.status, done.json["error"]["code"]) == (3, "unreachable")
    assert url in done.err
    assert "salience-audit serve" in done.err
    assert "salience-audit doctor" in done.err


def test_no_service_is_named(cli: Commands, tmp_path: Path) -> None:
    text = refused(cli, "audits", "list", SALIENCE_AUDIT_URL="", SALIENCE_AUDIT_DATA=str(tmp_path / "served"))
    assert f"none runs in {tmp_path / 'served'}" in text
    assert "config.toml" in text


def test_which_service(cli: Commands, tmp_path: Path) -> None:
    """Flags before the environment, that before the file; the service of a data folder last."""
    url, key = cli.environment["SALIENCE_AUDIT_URL"], cli.environment["SALIENCE_AUDIT_API_KEY"]
    unnamed = {"SALIENCE_AUDIT_URL": "", "SALIENCE_AUDIT_API_KEY": "", "SALIENCE_AUDIT_DATA": str(tmp_path)}
    file = tmp_path / "mine.toml"
    file.write_text(f'url = "{url}"\napi_key = "{key}"\n')
    assert cli("gates", "list", "--json", "--config", str(file), **unnamed).status == 0
    ServerFile(tmp_path).write(url, key)
    assert cli("gates", "list", "--json", **unnamed).status == 0
    wrong = refused(cli, "gates", "list", "--api-key", "sa_live_wrong")
    assert "--api-key, SALIENCE_AUDIT_API_KEY" in wrong


def test_fields_at_fault(cli: Commands) -> None:
    text = refused(cli, "gates", "create", "bad", "--condition", "entropyy.mean <= 1")
    assert "conditions.0" in text
    assert "at character 1: expected a measure (entropy" in text


def test_files(cli: Commands, tmp_path: Path) -> None:
    weights = str(WEIGHTS / "cross_entropy_run1.safetensors")
    (tmp_path / "recipe.json").write_text('{"name": ')
    text = refused(cli, "models", "push", weights, "--description", str(tmp_path / "recipe.json"))
    assert "recipe.json is no JSON: Expecting value: line 1" in text
    recipe = str(WEIGHTS.parent / "recipe.json")
    text = refused(cli, "models", "push", recipe, "--description", recipe, "--name", "noise", "--format", "safetensors")
    assert "'noise' is rejected: The file is not a valid safetensors file" in text


def test_protocols(cli: Commands, client: Client) -> None:
    run = ("audits", "run", "--dataset", client.find("datasets", "faces"), "--model", "plain", "--protocol")
    text = refused(cli, *run, "explain3me")
    assert "'explain3me' is neither a file nor a preset (default, investigate, explain2me-2023)" in text


def test_names(cli: Commands, client: Client) -> None:
    """A name means its newest version; one that it has not is refused."""
    first, second = (client.create_gate("twin", [f"entropy.mean <= {limit}"])["id"] for limit in (1, 2))
    named = {"twin": second, "twin@1": first, "twin@2": second, first: first}
    assert {name: cli.made("gates", "show", name)["id"] for name in named} == named
    assert "twin@3" in refused(cli, "audits", "run", "--dataset", "faces", "--model", "plain", "--gate", "twin@3")


def test_names_are_no_orders_to_a_terminal(cli: Commands, client: Client) -> None:
    client.create_gate("\x1b]0;mine\x07[red]x[/red]", ["entropy.mean <= 1"])
    shown = cli("gates", "list").out
    assert "\x1b" not in shown
    assert "[red]x[/red]" in shown
