"""Shifts by whole cells of the map, so that a map which follows the image can follow it exactly."""

from dataclasses import dataclass

from torch import Tensor

from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.views.families import cells_step
from worker.functional.cell_shifts import CellShift
from worker.functional.geometry import shift
from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class CellShiftView(InPlace):
    """Moves the content by ``by`` cells of ``stride`` pixels (down, right); what comes free repeats the edge.

    (N, 3, S, S) uint8 to the same. A map (N, h, w) that follows the image moves by exactly ``by`` cells. It is not
    carried back: `worker.measures.equivariance` compares the cells that both maps saw.
    """

    name: str
    by: CellShift
    stride: tuple[int, int]

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        right, down = self.by.right * self.stride[1], self.by.down * self.stride[0]
        return batch.shared((self.name, right, down), lambda: shift(batch.images, right, down))


def cell_view(name: str, setting: ViewSetting) -> CellShiftView:
    """``cells_2_left``: by two strides of the target layer, which are two cells of its map.

    A method whose maps are as large as the image has cells of one pixel; there the map moves by as many.
    """
    (right, down), stride = cells_step(name), setting.stride
    if CAM_METHODS[setting.protocol.salience.method].at_input_resolution:
        return CellShiftView(name, CellShift(right * stride[1], down * stride[0]), (1, 1))
    return CellShiftView(name, CellShift(right, down), stride)
