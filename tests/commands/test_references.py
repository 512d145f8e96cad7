"""Predictions of the owner's own code, sent from the command line: the exit status says what became of them."""

import zipfile
from io import BytesIO
from pathlib import Path

from tests.commands.conftest import Commands
from tests.fidelity.reference_files import archive, logits_of, outputs, pictures, resized


def test_a_folder_verifies_a_model_and_a_zip_contradicts_it(cli: Commands, walked: str, tmp_path: Path) -> None:
    images = pictures()
    folder, other = tmp_path / "reference", tmp_path / "other.zip"
    zipfile.ZipFile(BytesIO(archive(images, outputs(logits_of(images))))).extractall(folder)
    other.write_bytes(archive(images, outputs(logits_of(images, lambda image: resized(image)[..., ::-1]))))
    verified = cli("models", "reference", "plain", str(folder), "--json")
    assert (verified.status, verified.json["fidelity"]["status"], verified.json["fidelity"]["images"]) == (
        0,
        "verified",
        12,
    )
    contradicted = cli("models", "reference", "plain", str(other))
    assert contradicted.status == 1, contradicted.err
    assert "blue, green, red" in contradicted.out
    assert cli("models", "reference", "plain", str(folder)).status == 0, "the newest counts"
    assert cli("models", "reference", "plain", str(tmp_path / "nothing")).status == 3
