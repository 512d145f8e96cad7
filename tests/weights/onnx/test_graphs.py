"""Graphs of torch's exporters and of Keras' against the network in torch, and against pytorch-grad-cam."""

import io
import zipfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM, XGradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from app.domain.models.outputs import CLASSES, Output
from app.domain.vocabulary import CamMethod, Layout, OutputKind
from app.errors import InputFailure
from tests.weights.onnx.graphs import SIZE, Small, as_tf2onnx, exported, exported_by_dynamo, probed, small
from worker.salience import OF_EXTRACTOR, make_explainer
from worker.salience.hook import TargetHook
from worker.weights.onnx.canonical import graph_parts
from worker.weights.onnx.graph_model import GraphModel, load_graph

BOUND = 1e-5
"""Of a normalised map, and of logits against their largest; measured: 2e-6."""
LIBRARY = {
    CamMethod.GRADCAM: GradCAM,
    CamMethod.GRADCAM_PLUS_PLUS: GradCAMPlusPlus,
    CamMethod.XGRADCAM: XGradCAM,
    CamMethod.LAYERCAM: LayerCAM,
}
OF_ANY_HEAD = (
    CamMethod.SCORECAM,
    CamMethod.ABLATIONCAM,
    CamMethod.RECIPROCAM,
    CamMethod.SSCAM,
    CamMethod.ISCAM,
    CamMethod.OCCLUSION,
    CamMethod.RISE,
)
BINARY = Output(kind=OutputKind.BINARY, threshold=0.3)


def photographs(count: int = 5, size: int = SIZE) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(3))


def loaded(data: bytes, output: Output = CLASSES) -> GraphModel:
    """Through its canonical file, as an audit does."""
    parts = graph_parts(probed(data, output=output).graph)
    return load_graph(io.BytesIO(b"".join(parts)), SIZE)


def normalised(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return torch.where(high > low, (maps - low) / (high - low), 0)


@cache
def files() -> dict[str, bytes]:
    return {
        "traced": exported(small()),
        "fixed batch": exported(small(), batch=2, free=False),
        "one image": exported(small(), batch=1, free=False),
        "program": exported_by_dynamo(small()),
        "keras": as_tf2onnx(small()),
    }


@pytest.mark.parametrize("name", ["traced", "fixed batch", "one image", "program", "keras"])
def test_every_method_agrees_with_torch(name: str) -> None:
    model, images = loaded(files()[name]), photographs()
    hook = TargetHook(small(), input_size=SIZE)
    assert (model.layer.grid, model.stride) == (hook.layer.grid, hook.stride)
    for method in OF_EXTRACTOR:
        for target in (None, torch.tensor([0, 1, 2, 0, 1])):
            found = model.explainer(method, SIZE, None, CLASSES).explain(images, target)
            expected = make_explainer(method, hook).explain(images, target)
            assert torch.equal(found.predicted, expected.predicted)
            assert (found.logits - expected.logits).abs().max() <= BOUND * expected.logits.abs().max()
            assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= BOUND, method


@pytest.mark.parametrize("method", LIBRARY)
def test_agrees_with_pytorch_grad_cam(method: CamMethod) -> None:
    network, images = small(), photographs()
    targets = [ClassifierOutputTarget(1)] * len(images)
    with LIBRARY[method](network, [network.last]) as cam:
        cam.get_target_width_height = lambda _images: None
        expected = torch.from_numpy(cam(images, targets))
    model = loaded(files()["traced"])
    found = model.explainer(method, SIZE, None, CLASSES).explain(images, torch.ones(len(images), dtype=torch.int64))
    assert (normalised(found.maps) - normalised(expected)).abs().max() <= 1e-4


def test_what_the_probe_says() -> None:
    traced, fixed, keras = (probed(files()[name]) for name in ("traced", "fixed batch", "keras"))
    assert (traced.probe.classes, traced.probe.map_channels, traced.probe.map_height) == (3, 16, 8)
    assert traced.probe.parameter_count == sum(each.numel() for each in files_parameters())
    assert {name: fact.value for name, fact in traced.facts.items()} == {
        "graph.opset": 20,
        "graph.batch": "free",
        "graph.input": "nchw",
        "graph.salience": "closed form",
    }
    assert "-> GlobalAveragePool -> Flatten -> Gemm" in (traced.facts["graph.salience"].note or "")
    assert fixed.facts["graph.batch"].value == 2
    assert (keras.facts["graph.input"].value, keras.probe.final_softmax) == (Layout.NHWC, True)
    assert keras.facts["graph.final_activation"].value == "Softmax"


def files_parameters() -> list[Tensor]:
    """The exporter folds norms into convolutions: weight and bias of each are left."""
    network = small()
    return [tensor for name, tensor in network.named_parameters() if ".1." not in name]


def test_one_logit_behind_a_sigmoid() -> None:
    network, images = small(1, nn.Sigmoid()), photographs()
    model = loaded(exported(network), BINARY)
    assert model.tail.final_activation == "Sigmoid"
    hook = TargetHook(network, input_size=SIZE, output=BINARY)
    for method in OF_EXTRACTOR:
        found = model.explainer(method, SIZE, None, BINARY).explain(images, None)
        expected = make_explainer(method, hook).explain(images, None)
        assert torch.equal(found.predicted, expected.predicted)
        assert torch.allclose(found.logits, expected.logits, atol=1e-6)
        assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= BOUND


def test_pooled_channels_may_be_the_outputs() -> None:
    """As SqueezeNet ends."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    model, images = loaded(exported(network)), photographs()
    hook = TargetHook(network, input_size=SIZE)
    found = model.explainer(CamMethod.GRADCAM, SIZE, None, CLASSES).explain(images, None)
    expected = make_explainer(CamMethod.GRADCAM, hook).explain(images, None)
    assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= BOUND


def test_grey_images() -> None:
    torch.manual_seed(2)
    parts = (nn.Conv2d(1, 4, 3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    network, images = nn.Sequential(*parts).eval(), photographs()[:, :1]
    model = loaded(exported(network, channels=1))
    assert model.channels == 1
    found = model.explainer(CamMethod.GRADCAM, SIZE, None, CLASSES).explain(images, None)
    expected = make_explainer(CamMethod.GRADCAM, TargetHook(network, input_size=SIZE)).explain(images, None)
    assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= BOUND


@pytest.mark.parametrize("name", ["traced", "fixed batch", "one image"])
def test_an_image_is_explained_alone(name: str) -> None:
    """A map in a batch is that of the image by itself, and two loads give the same bits."""
    images = photographs()
    explain = [loaded(files()[name]).explainer(CamMethod.GRADCAM, SIZE, None, CLASSES).explain for _ in range(2)]
    whole, again = (one(images, None) for one in explain)
    assert torch.equal(whole.maps, again.maps)
    assert torch.equal(whole.logits, again.logits)
    alone = torch.cat([explain[0](images[place : place + 1], None).maps for place in range(len(images))])
    assert torch.allclose(whole.maps, alone, atol=1e-6)


def test_external_data_in_a_zip_is_the_same_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("external")
    model = onnx.load_model_from_string(files()["traced"])
    onnx.save_model(model, folder / "model.onnx", save_as_external_data=True, location="model.data", size_threshold=0)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("model.onnx", "model.data"):
            archive.write(folder / name, f"data/{name}")
    canonical = [b"".join(graph_parts(probed(data).graph)) for data in (file.getvalue(), files()["traced"])]
    assert canonical[0] == canonical[1]


@cache
def longer() -> Small:
    """Two linear layers behind the pooling."""
    return small(end=nn.Sequential(nn.ReLU(), nn.Linear(3, 3)))


@pytest.mark.parametrize("made", [exported, exported_by_dynamo, partial(exported, batch=4, free=False)])
def test_another_head_is_explained_by_reciprocam(made: Callable[[nn.Module], bytes]) -> None:
    model, images = loaded(made(longer())), photographs()
    assert model.possible == OF_ANY_HEAD
    found = model.explainer(CamMethod.RECIPROCAM, SIZE, None, CLASSES).explain(images, None)
    expected = make_explainer(CamMethod.RECIPROCAM, TargetHook(longer(), input_size=SIZE)).explain(images, None)
    assert torch.equal(found.predicted, expected.predicted)
    assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= 10 * BOUND
    assert probed(made(longer())).facts["graph.salience"].value == "head alone"


@pytest.mark.parametrize(
    "method", [CamMethod.RECIPROCAM, CamMethod.OCCLUSION, CamMethod.SCORECAM, CamMethod.ABLATIONCAM]
)
def test_methods_without_gradients_of_every_graph(method: CamMethod) -> None:
    images = photographs()
    expected = make_explainer(method, TargetHook(small(), input_size=SIZE)).explain(images, None)
    for name, data in files().items():
        found = loaded(data).explainer(method, SIZE, None, CLASSES).explain(images, None)
        assert (normalised(found.maps) - normalised(expected.maps)).abs().max() <= 10 * BOUND, name


def test_what_is_asked_of_it_is_checked() -> None:
    model = loaded(files()["traced"])
    asked: dict[str, tuple[str, int, str | None]] = {
        "cam-method-not-possible": (CamMethod.SHAPLEYCAM, SIZE, None),
        "target-layer-not-found": (CamMethod.GRADCAM, SIZE, "layer4"),
        "model-output-mismatch": (CamMethod.GRADCAM, SIZE + 1, None),
    }
    for code, (method, size, layer) in asked.items():
        with pytest.raises(InputFailure) as refused:
            model.explainer(CamMethod(method), size, layer, CLASSES)
        assert refused.value.code == code
    with pytest.raises(InputFailure, match="33, 33, 3"):
        probed(files()["traced"], size=33)


def test_a_network_of_keras() -> None:
    """Its own export; what it computed itself was kept beside it."""
    folder = Path(__file__).parent / "files"
    kept = np.load(folder / "keras.npz")
    model = loaded((folder / "keras.onnx").read_bytes())
    assert (model.entrance.layout, model.layer.layout, model.layer.grid) == (Layout.NHWC, Layout.NHWC, (8, 8))
    images = torch.from_numpy(kept["images"]).permute(0, 3, 1, 2).float()
    found = model.explainer(CamMethod.GRADCAM, SIZE, None, CLASSES).explain(images, None)
    assert np.abs(found.logits.softmax(1).numpy() - kept["probabilities"]).max() < 1e-6
    assert (normalised(found.maps) - normalised(torch.from_numpy(kept["gradcam"]))).abs().max() <= BOUND
