"""The paper again: CYBORG against a hand-computed case and other libraries, scenes, patterns, the whole script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from scipy.special import log_softmax
from skimage.metrics import mean_squared_error
from skimage.transform import downscale_local_mean
from torchcam.methods import CAM

from examples.paper.__main__ import SMALL, repeat
from examples.paper.auditing import GROUPS
from examples.paper.cyborg import class_activation_maps, cyborg_loss
from examples.paper.faces import LABELS, REAL, audited_scenes, split_album
from examples.paper.patterns import AGREES, DISAGREES, OPEN, Pattern, counted, outcome
from examples.paper.published import radar
from examples.paper.sources import SOURCES, remade
from examples.paper.training import Extent, as_input


def test_cyborg_of_a_hand_computed_case() -> None:
    """Class 1 weighs the two channels by 1 and -1: the map is [[0, 3], [1, -1]], normalised [[1, 4], [2, 0]] / 4."""
    features = torch.tensor([[[[1.0, 3.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]])
    classifier = torch.tensor([[5.0, 5.0], [1.0, -1.0]])
    labels = torch.tensor([1])
    maps = class_activation_maps(features, classifier, labels)
    assert maps.tolist() == [[[0.25, 1.0], [0.5, 0.0]]]
    human = torch.tensor([[[0.0, 0.0, 2.0, 4.0], [0.0, 0.0, 2.0, 4.0], [0.0] * 4, [0.0] * 4]])  # cells [[0, 3], [0, 0]]
    loss = cyborg_loss(torch.tensor([[0.0, 0.0]]), maps, labels, human)
    assert float(loss) == pytest.approx(0.5 * np.log(2) + 0.5 * (0.25**2 + 0.5**2) / 4)


def test_cyborg_agrees_with_other_libraries() -> None:
    """TorchCAM's CAM, scikit-image's means over cells and squared error, SciPy's softmax; on real scenes."""
    torch.manual_seed(0)
    network = SMALL.networks["ResNet"]
    model: Any = timm.create_model(network.architecture, num_classes=2, **network.options).eval()
    scenes = list(audited_scenes(split_album()[1], 1).values())
    images = as_input(np.stack([scene.pixels for scene in scenes]))
    labels = [scene.label for scene in scenes]
    human = np.stack([scene.salience for scene in scenes])
    with CAM(model, "layer4", "fc") as extractor, torch.no_grad():
        logits = model(images)
        theirs = np.stack([extractor(label, logits)[0].numpy()[place] for place, label in enumerate(labels)])
    cells = downscale_local_mean(human, (1, 32, 32))
    cells = (cells - cells.min((1, 2), keepdims=True)) / np.ptp(cells, axis=(1, 2), keepdims=True)
    right = log_softmax(logits.numpy().astype(np.float64), axis=1)[np.arange(len(labels)), labels]
    expected = 0.5 * -right.mean() + 0.5 * mean_squared_error(theirs, cells)
    with torch.no_grad():
        features = model.forward_features(images)
        maps = class_activation_maps(features, model.get_classifier().weight, torch.tensor(labels))
        loss = cyborg_loss(logits, maps, torch.tensor(labels), torch.from_numpy(human))
    assert float(loss) == pytest.approx(expected, abs=1e-5)
    assert maps.numpy() == pytest.approx(theirs, abs=1e-5)


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
