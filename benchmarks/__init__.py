"""What the documentation says of speed and scale, measured.

`make bench` measures speed side by side and writes docs/performance.md; `simulate_scale` backs docs/scaling.md.
"""
