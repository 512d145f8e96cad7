"""What the passes of an audit's subjects cost."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.audits.planning.looks import Looks
from app.audits.planning.speeds import Speeds
from app.audits.planning.target_layers import target_layer
from app.domain.audits.changed_images import Needs, needs_of
from app.domain.maps.cam_methods import CAM_METHODS, CamMethodSpec
from app.domain.protocol import SalienceSettings
from app.domain.vocabulary import CLEAN, CamMethod, DeviceClass, Explained
from app.results.inputs import AuditedSubject


@dataclass(frozen=True)
class SubjectCost:
    """A model under a method: the images that go through it for one look at a sample in all conditions, and the seconds
    that they take; None where nobody measured what the method asks for, and why.
    """

    owner: AuditedSubject
    passes: int
    seconds: float | None
    unknown_because: str | None = None

    @property
    def method(self) -> CamMethod:
        return self.owner.protocol.salience.method

    def images(self, looks: Looks) -> int:
        """That are explained, without those that fill up a batch."""
        return looks.alone if _spec(self.owner).image_by_image else looks.samples

    def seconds_of(self, looks: Looks) -> float:
        """Unknown ones take none."""
        return (self.seconds or 0.0) * (looks.alone if _spec(self.owner).image_by_image else looks.padded)


def subject_costs(subjects: Iterable[AuditedSubject], device_class: DeviceClass) -> tuple[SubjectCost, ...]:
    """In their order. Methods of one pair share passes: beside the first, each has those alone that follow its maps."""
    found: list[SubjectCost] = []
    shared = set()
    for one in subjects:
        network = one.subject.model, one.subject.weights, one.protocol.salience.target_layer
        can_share = _can_share(one)
        is_free = can_share and network in shared
        maps = sum(_follows(view) for view in one.conditions) if is_free else len(one.conditions)
        if can_share:
            shared.add(network)
        found.append(_cost(one, maps, Speeds.of(one.model, one.protocol, device_class)))
    return tuple(found)


def passes_per_map(salience: SalienceSettings, channels: int, cells: int) -> int:
    """Images that go forward through a model for one map; some methods try each channel or cell of the target layer,
    or random masks.
    """
    return CAM_METHODS[salience.method].passes(channels, cells) + (salience.masks or 0)


def _cost(one: AuditedSubject, maps: int, speeds: Speeds) -> SubjectCost:
    """Of so many maps."""
    spec, layer = _spec(one), target_layer(one.model, one.protocol)
    passes = maps * passes_per_map(one.protocol.salience, layer.channels, layer.cells)
    # To find another class takes a pass without a map.
    passes += maps if one.subject.explained is Explained.OTHER_CLASS else 0
    heads = maps * spec.heads(layer.channels, layer.cells) if spec.heads else 0
    asked = {
        "seconds_per_image": passes * spec.cost_of_pass,
        "seconds_per_head": heads,
        "seconds_of_bias_maps": maps if spec.adds_bias_maps else 0,
    }
    return SubjectCost(one, passes, speeds.seconds(asked), speeds.why_unknown(asked, one.protocol.salience.method))


def _spec(one: AuditedSubject) -> CamMethodSpec:
    return CAM_METHODS[one.protocol.salience.method]


def _can_share(one: AuditedSubject) -> bool:
    return _spec(one).of_one_pair and one.subject.explained is Explained.TARGET


def _follows(view: str) -> bool:
    return view != CLEAN and needs_of(view) is Needs.MAPS
