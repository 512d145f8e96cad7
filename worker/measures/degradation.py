"""S_D: does it matter to the model when what it points at is blurred away, or all the rest (Table 1)."""

from app.domain.views import DEGRADATIONS
from worker.measures.similarity import similar_at_input

degradation = similar_at_input(*DEGRADATIONS)
"""SSIM of 8-bit maps at input resolution: clean image against degraded image."""
