"""What structural similarity (Wang et al. 2004) computes with, as scikit-image's defaults for 8-bit maps have it.

`native_src/similarity.c` has the window as well: its sums are made of 1, 2 and 4 neighbours.
"""

WINDOW = 7
"""Side of the uniform window in cells; maps with a shorter side have no SSIM."""
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2
