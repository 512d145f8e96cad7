"""`python -m docs.pictures.make`: every picture of the documentation, from the example's networks and images."""

from docs.pictures import degradation, entropy, geometry, noise, radar, stability
from docs.pictures.audited import audit_faces

if __name__ == "__main__":
    audited = audit_faces()
    for picture in (entropy, noise, geometry, degradation, stability, radar):
        picture.draw(audited)
