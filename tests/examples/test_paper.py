"""The paper again: CYBORG against a hand-computed case and other libraries, scenes, patterns, the whole script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from scipy.special import log_softmax
from skimage.metrics import mean_squared_error
from torch.nn.functional import batch_norm
from torchvision.transforms import Compose, Resize, ToTensor

from examples.paper.__main__ import SMALL, repeat
from examples.paper.auditing import GROUPS
from examples.paper.cyborg import class_activation_maps, cyborg_loss, explained_features
from examples.paper.faces import LABELS, REAL, audited_scenes, split_album
from examples.paper.patterns import AGREES, DISAGREES, OPEN, Pattern, counted, outcome
from examples.paper.published import radar
from examples.paper.sources import SOURCES, remade
from examples.paper.training import Extent, as_input


def test_cyborg_of_a_hand_computed_case() -> None:
    """Class 1 weighs the two channels by 1 and -1: the map is [[0, 3], [1, -1]], normalised [[1, 4], [2, 0]] / 4."""
    features = torch.tensor([[[[1.0, 3.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]])
    classifier = torch.tensor([[5.0, 5.0], [1.0, -1.0]])
    maps = class_activation_maps(features, classifier, torch.tensor([1]))
    assert maps.tolist() == [[[0.25, 1.0], [0.5, 0.0]]]
    human = torch.tensor([[[0.0, 0.6], [0.0, 0.0]]])  # normalised [[0, 1], [0, 0]]
    loss = cyborg_loss(torch.tensor([[0.0, 0.0]]), maps, torch.tensor([0]), human)
    assert float(loss) == pytest.approx(0.5 * np.log(2) + 0.5 * (0.25**2 + 0.5**2) / 4)


def last_features(model: Any, images: torch.Tensor) -> torch.Tensor:
    """By the layers themselves: a ResNet's last convolution, a DenseNet's last norm without its ReLU."""
    if hasattr(model, "layer4"):
        block, before = model.layer4[-1], model.layer4[:-1]
        stem = model.maxpool(model.act1(model.bn1(model.conv1(images))))
        x = before(model.layer3(model.layer2(model.layer1(stem))))
        x = block.act1(block.bn1(block.conv1(x)))
        found: torch.Tensor = block.conv3(block.act2(block.bn2(block.conv2(x))))
        return found
    x, norm = images, model.features.norm5
    for name, layer in model.features.named_children():
        x = layer(x) if name != "norm5" else x
    return batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)


@pytest.mark.parametrize("architecture", SMALL.networks)
def test_cyborg_is_the_authors(architecture: str) -> None:
    """What their training code does, image by image, with torchvision's resize, scikit-image's squared error and
    SciPy's softmax; on real scenes. Some are classified wrongly, and then it is the predicted class that is explained.
    """
    torch.manual_seed(0)
    network = SMALL.networks[architecture]
    model: Any = timm.create_model(network.architecture, num_classes=2, **network.options).eval()
    scenes = list(audited_scenes(split_album()[1], 1).values())
    images = as_input(np.stack([scene.pixels for scene in scenes]))
    labels, human = [scene.label for scene in scenes], np.stack([scene.salience for scene in scenes])
    with torch.no_grad(), explained_features(model) as found:
        logits = model(images)
        features, weights = last_features(model, images), model.get_classifier().weight
    predicted = logits.argmax(1).tolist()
    assert predicted != labels
    assert found[0].numpy() == pytest.approx(features.numpy(), abs=1e-5)
    theirs, cells = [], []
    resize = Compose([Resize(list(features.shape[2:])), ToTensor()])
    for of_image, chosen, drawn in zip(features, predicted, human, strict=True):
        own = np.tensordot(weights[chosen].detach().numpy().astype(np.float64), of_image.numpy(), 1)
        theirs.append((own - own.min()) / np.ptp(own))
        small = resize(Image.fromarray(np.rint(drawn * 255).astype(np.uint8)))[0].numpy()
        cells.append((small - small.min()) / np.ptp(small))
    right = log_softmax(logits.numpy().astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    expected = 0.5 * -right.mean() + 0.5 * mean_squared_error(np.stack(theirs), np.stack(cells))
    with torch.no_grad():
        maps = class_activation_maps(found[0], weights, logits.argmax(1))
        loss = cyborg_loss(logits, maps, torch.tensor(labels), torch.from_numpy(human))
    assert float(loss) == pytest.approx(expected, abs=1e-5)
    assert maps.numpy() == pytest.approx(np.stack(theirs), abs=1e-4)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_changes_its_region_alone(source: str) -> None:
    first, second = split_album()
    faces, region = second.faces[REAL], SOURCES[source][1]
    changed = remade(source, faces, np.random.default_rng(0)) != faces
    assert not changed[:, region == 0].any()
    assert changed[:, region == 1].mean(1).min() > 0.9
    assert not (first.faces[REAL][:, None] == faces[None]).all((2, 3)).any(), "no person is in both parts"


def test_scenes_are_balanced_by_source_and_drawn_where_the_face_is() -> None:
    scenes = audited_scenes(split_album()[1], 3)
    assert [name.split("/")[1] for name in scenes].count(REAL) == 3
    assert len(scenes) == 3 * (1 + len(SOURCES))
    for name, scene in scenes.items():
        assert name.startswith(f"{LABELS[scene.label]}/{scene.source}/")
        assert 0 < (scene.salience > 0.5).mean() < 0.4


@pytest.mark.parametrize(
    ("paper", "numbers", "silences", "expected"),
    [
        (0.2, (0.1, 0.05, 0.2), [], (AGREES, "")),
        (-0.2, (0.1, 0.05, 0.2), [], (DISAGREES, "")),
        (-0.2, (-0.1, -0.2, -0.05), [], (AGREES, "")),
        (0.2, (0.1, -0.1, 0.2), [], (OPEN, "interval holds 0")),
        (0.2, (0.1, 0.05, 0.2), ["runs-overlap"], (OPEN, "runs-overlap")),
        (0.2, (None, None, None), [], (OPEN, "undefined")),
    ],
)
def test_what_a_difference_says_of_the_papers(
    paper: float, numbers: tuple[float | None, ...], silences: list[str], expected: tuple[str, str]
) -> None:
    row: dict[str, Any] = dict(zip(("difference", "ci95_low", "ci95_high"), numbers, strict=True))
    assert outcome(paper, row | {"says_nothing": silences}) == expected


def test_patterns_are_counted() -> None:
    found = [
        Pattern("", "", 0.1, 0.2, AGREES, ""),
        Pattern("", "", 0.1, -0.2, DISAGREES, ""),
        Pattern("", "", 0.1, 0.2, OPEN, "interval holds 0"),
        Pattern("", "", -0.1, None, OPEN, "undefined"),
    ]
    assert counted(found) == ("agrees 1, does not agree 1, not told apart 2, of 4. The paper's sign, clear or not: 2.")


def test_the_papers_radar_by_hand() -> None:
    """Cross-entropy DenseNet: (8 * 0.825 + 2 * 0.690 + 2 * 0.852) / 12 and ((1 - 0.501) + 0.849) / 2."""
    axes = radar(0)
    assert axes["geometric_resilience"] == pytest.approx(0.807)
    assert axes["degradation"] == pytest.approx(0.674)
    assert (axes["entropy"], axes["noise_reaction"], axes["stability"]) == pytest.approx((0.106, 0.555, 0.747))


TINY = Extent(SMALL.networks, runs=2, steps=2, batch=4, per_source=2)


@pytest.mark.integration  # minutes, in a service of its own
def test_the_whole_script_in_the_smallest_form(tmp_path: Path) -> None:
    """Trains eight networks for two steps, audits them in a service of its own, and tells what the service said."""
    told = "\n\n".join(repeat(TINY, tmp_path, processes=1))
    assert told.endswith((tmp_path / "results.md").read_text().strip())
    for network, strategy in GROUPS:
        results = json.loads((tmp_path / f"results {network} {strategy}.json").read_text())
        assert results["sample_count"] == 10
        assert results["protocol"]["preset"] == "explain2me-2023"
        [stability] = [row for row in results["summaries"] if (row["measure"], row["group"]) == ("stability", "macro")]
        assert f"{stability['mean']:.3f}" in told
    assert told.count(", of 16. ") == 2
    for number in (4, 9, 11):
        assert (tmp_path / f"figure-{number}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / f"figure-{number}.svg").read_text()
