"""``salience-audit models``."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from app.commands.bundles import with_bundles
from app.commands.connecting import Link
from app.commands.documents import read_document
from app.commands.group import ClientGroup, ExitStatus
from app.commands.named import add_commands
from app.commands.progress import upload_bar
from app.commands.tables import Columns, record, table
from salience_audit.errors import Json

models = typer.Typer(cls=ClientGroup, no_args_is_help=True, help="Models: the classifiers under audit.")

COLUMNS: Columns = {
    "id": lambda model: model["id"],
    "name": lambda model: model["name"],
    "version": lambda model: model["version"],
    "status": lambda model: model["status"],
    "architecture": lambda model: model["architecture"],
    "classes": lambda model: ", ".join(model["class_names"] or []) or model["classes"],
    "created": lambda model: model["created_at"][:19],
}

FIDELITY: Columns = {
    "status": lambda fidelity: fidelity["status"],
    "agreeing": lambda fidelity: f"{fidelity['agreeing']} of {fidelity['images']}",
    "largest difference": lambda fidelity: fidelity["largest_difference"],
    "suggestion": lambda fidelity: fidelity["suggestion"],
    "problem": lambda fidelity: fidelity["problem"] and fidelity["problem"]["detail"],
}

EXITS = {
    "verified": ExitStatus.DONE,
    "contradicted": ExitStatus.GATE_FAILED,
    "unverified": ExitStatus.GATE_INCONCLUSIVE,
}

FORMATS = {".safetensors": "safetensors", ".onnx": "onnx"}
"""By the file's name; others are torch's."""
_OF_LIBRARIES = frozenset({"model_type", "architectures", "pretrained_cfg", "num_classes"})
"""What a config.json of timm or transformers has, and no description of ours."""

Limit = Annotated[int, typer.Option(min=1, help="How many, the newest first.")]


@dataclass(frozen=True)
class Description:
    """What is said of a model; each option goes before the file of ``--description``."""

    name: Annotated[str | None, typer.Option(help="Unset: the file's name.")] = None
    version: Annotated[str | None, typer.Option()] = None
    architecture: Annotated[
        str | None, typer.Option(help="A torchvision classification architecture, or timm/NAME; none for ONNX.")
    ] = None
    format: Annotated[str | None, typer.Option(help="safetensors, state_dict or onnx; unset: by the file's name.")] = (
        None
    )
    class_names: Annotated[str | None, typer.Option(help="In the order of the outputs: face,non_face")] = None
    output: Annotated[
        str | None, typer.Option(help="classes, binary (one logit; class names: negative, positive) or multilabel.")
    ] = None
    threshold: Annotated[float | None, typer.Option(help="Of the sigmoid, for binary and multilabel: 0.5.")] = None
    input_size: Annotated[str | None, typer.Option(help="Of the input in pixels: 224, or height and width: 96,64")] = (
        None
    )
    mean: Annotated[str | None, typer.Option(help="Of each channel: 0.485,0.456,0.406")] = None
    std: Annotated[str | None, typer.Option(help="Of each channel: 0.229,0.224,0.225")] = None
    resize: Annotated[str | None, typer.Option(help="stretch or shorter_side_crop.")] = None
    target_layer: Annotated[str | None, typer.Option(help="Overrides the layer that tracing finds.")] = None
    description: Annotated[
        Path | None,
        typer.Option(
            help="JSON, as in the body of POST /v1/models; or the config.json of timm or transformers, with the "
            "preprocessor_config.json beside it."
        ),
    ] = None

    def document(self, file: Path) -> Json:
        """The body of ``POST /v1/models``. Raises UnreadableFile."""
        base = {} if self.description is None else _described(self.description)
        guessed = {"name": file.stem, "format": FORMATS.get(file.suffix, "state_dict")}
        said = {
            **{name: getattr(self, name) for name in ("name", "version", "architecture", "format", "target_layer")},
            "class_names": None if self.class_names is None else self.class_names.split(","),
        }
        output = base.get("output", {}) | given({"kind": self.output, "threshold": self.threshold})
        said["output"] = output or None
        return guessed | base | given(said) | {"preprocessing": base.get("preprocessing", {}) | self._preprocessing()}

    def _preprocessing(self) -> Json:
        numbers = {"mean": _numbers("--mean", self.mean), "std": _numbers("--std", self.std)}
        return given(numbers | {"input_size": read_size(self.input_size), "resize": self.resize})


@models.command()
@with_bundles
def push(
    file: Annotated[Path, typer.Argument(help="The weights.", metavar="FILE")], description: Description, link: Link
) -> None:
    """Register a model, send its weights, and wait until the worker has looked into them."""
    with link.client() as client, upload_bar(file.name) as progress:
        model = client.push_model(file, description=description.document(file), progress=progress)
    link.show(model, record(model, COLUMNS))


@models.command()
@with_bundles
def reference(
    model: Annotated[str, typer.Argument(help="Its id or name; NAME@3 or NAME@ALIAS.")],
    file: Annotated[Path, typer.Argument(help="A folder, or a zip, of images and outputs.jsonl.", metavar="PATH")],
    link: Link,
) -> None:
    """Compare predictions of your own code with what the service computes; exit by whether it is the same model."""
    with link.client() as client, upload_bar(file.name) as progress:
        found = client.refer(client.find("models", model), file, progress=progress)
    link.show(found, record(found["fidelity"], FIDELITY))
    raise typer.Exit(EXITS[found["fidelity"]["status"]])


@models.command("list")
@with_bundles
def show_all(link: Link, limit: Limit = 50) -> None:
    """List models."""
    with link.client() as client:
        found = list(islice(client.models(), limit))
    link.show(found, table("Models", found, COLUMNS))


add_commands(models, "models", COLUMNS)


def _described(path: Path) -> Json:
    """A description of ours as it is; a file of another library's as what it is."""
    document = read_document(path)
    if not _OF_LIBRARIES & set(document):
        return document
    beside = path.with_name("preprocessor_config.json")
    processor = {"preprocessor_config": read_document(beside)} if beside.exists() else {}
    return {"config": document} | processor


def _numbers(option: str, text: str | None) -> list[float] | None:
    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} are no numbers between commas", param_hint=option) from None


def read_size(text: str | None) -> int | list[int] | None:
    sides = _numbers("--input-size", text)
    if sides is None:
        return None
    if not all(side.is_integer() for side in sides) or len(sides) > 2:
        raise typer.BadParameter(f"{text!r} is no side, or height and width", param_hint="--input-size")
    height, *width = map(int, sides)
    return [height, *width] if width else height


def given(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}
