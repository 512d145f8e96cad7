"""What the passes of an audit's subjects cost."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.audits.planning.target_layers import target_layer
from app.domain.audits.changed_images import Needs, needs_of
from app.domain.maps.cam_methods import CAM_METHODS, CamMethodSpec
from app.domain.protocol import SalienceSettings
from app.domain.vocabulary import CLEAN, CamMethod, DeviceClass, Explained
from app.results.inputs import AuditedSubject


@dataclass(frozen=True)
class SubjectCost:
    """A model under a method: the images that go through it for one sample, and the seconds that they take; None where
    the probe of the model measured no such pass.
    """

    owner: AuditedSubject
    passes: int
    seconds: float | None

    @property
    def method(self) -> CamMethod:
        return self.owner.protocol.salience.method

    def seconds_of(self, samples: int, padded: int) -> float:
        """Of so many samples; ``padded`` with those that fill up short batches. Unknown ones take none."""
        return (self.seconds or 0.0) * (samples if self._spec.image_by_image else padded)

    @property
    def _spec(self) -> CamMethodSpec:
        return CAM_METHODS[self.method]


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
        layer = target_layer(one.model, one.protocol)
        passes = maps * passes_per_map(one.protocol.salience, layer.channels, layer.height * layer.width)
        # To find another class takes a pass without a map.
        passes += maps if one.subject.explained is Explained.OTHER_CLASS else 0
        found.append(SubjectCost(one, passes, _seconds(one, passes, device_class)))
    return tuple(found)


def passes_per_map(salience: SalienceSettings, channels: int, cells: int) -> int:
    """Images that go forward through a model for one map; some methods try each channel or cell of the target layer,
    or random masks.
    """
    return CAM_METHODS[salience.method].passes(channels, cells) + (salience.masks or 0)


def _can_share(one: AuditedSubject) -> bool:
    return CAM_METHODS[one.protocol.salience.method].of_one_pair and one.subject.explained is Explained.TARGET


def _follows(view: str) -> bool:
    return view != CLEAN and needs_of(view) is Needs.MAPS


def _seconds(one: AuditedSubject, passes: int, device_class: DeviceClass) -> float | None:
    speed = (one.model.probe or {}).get("speed") or {}
    spec = CAM_METHODS[one.protocol.salience.method]
    if speed.get("device_class") != device_class or not spec.is_timed:
        return None
    return float(speed["seconds_per_image"]) * spec.cost_of_pass * passes
