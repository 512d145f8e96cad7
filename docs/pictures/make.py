"""`python -m docs.pictures.make [few]`: the pictures of the documentation, from the example's networks and images.

``few`` leaves out those of the paper's five, which take two minutes.
"""

import sys

from docs.pictures import (
    agreement,
    class_separation,
    degradation,
    entropy,
    equivariance,
    geometry,
    noise,
    radar,
    sanity,
    stability,
    sufficiency,
    where_maps_lie,
)
from docs.pictures.audited import audit_faces

if __name__ == "__main__":
    for beside in (agreement, sanity, class_separation, equivariance, sufficiency, where_maps_lie):
        beside.draw()
    if sys.argv[1:] != ["few"]:
        audited = audit_faces()
        for picture in (entropy, noise, geometry, degradation, stability, radar):
            picture.draw(audited)
