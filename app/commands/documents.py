"""JSON files that a command is given."""

import json
from pathlib import Path

from salience_audit import Client
from salience_audit.errors import ClientError, Json, UnreadableFile


def read_document(path: Path) -> Json:
    """A JSON object. Raises UnreadableFile."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFile("unreadable-file", f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UnreadableFile("no-json", f"{path} is no JSON: {error}.") from None
    if not isinstance(document, dict):
        raise UnreadableFile("no-json-object", f"{path} holds no JSON object.")
    return document


def protocol_named(client: Client, text: str) -> Json:
    """A file's document, or a preset by its name. Raises ClientError."""
    if Path(text).is_file():
        return read_document(Path(text))
    presets = client.protocols()["presets"]
    if text not in presets:
        raise ClientError("no-such-protocol", f"{text!r} is neither a file nor a preset ({', '.join(presets)}).")
    return {"preset": text}


LABEL_MAP_HELP = "Which class a label is: numeric, imagefolder, or a JSON file from label to class."


def label_map_of(text: str | None) -> Json | str | None:
    """A rule by its name, or a file's document. Raises UnreadableFile."""
    return text if text in {None, "numeric", "imagefolder"} else read_document(Path(text or ""))
