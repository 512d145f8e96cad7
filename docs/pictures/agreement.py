"""One face under four CAM methods."""

from skimage.metrics import structural_similarity

from app.domain.vocabulary import CamMethod
from docs.pictures.beside import Faces, asked, network
from docs.pictures.drawing import at_input, grid, native, over, save_png, show

NETWORK = "cross_entropy_run1"
METHODS = (CamMethod.GRADCAM, CamMethod.LAYERCAM, CamMethod.EIGENCAM, CamMethod.RECIPROCAM)


def draw() -> None:
    faces, module = Faces.plain(), network(NETWORK).module()
    maps = [faces.looked_at(module, asked({"entropy": {}}, method=method)).clean.maps for method in METHODS]
    place = len(faces.batch.images) // 2
    figure, axes = grid(1, len(METHODS), lines=2)
    for column, (method, own) in enumerate(zip(METHODS, maps, strict=True)):
        alike = structural_similarity(native(maps[0], place), native(own, place), data_range=255)
        caption = f"{method}\n" + ("leads" if column == 0 else f"SSIM with {METHODS[0]} {alike:.2f}")
        show(axes[0, column], over(faces.image(place), at_input(own, place)), caption)
    save_png(figure, "agreement")
