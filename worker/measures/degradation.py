"""S_D: does it matter to the model when what it points at is blurred away, or all the rest (Table 1)."""

from app.domain.views.families import DEGRADATIONS
from worker.measures.similarity import similar_at_input

degradation = similar_at_input(*DEGRADATIONS)
"""S_D = SSIM(clean map, map of the degraded image), for each of ``salience_removed`` and ``non_salience_removed``.

Scores (N,) float64 in [-1, 1] of 8-bit maps (N, S, S); the image is degraded by `worker.views.degradation`
(Crum et al. 2023, S_D).
"""
