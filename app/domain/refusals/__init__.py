"""Why a model or a map is not taken: for every refusal its code, its cause, the sentence and the way out.

docs/models.md and docs/map-sets.md show them as tables; a test holds them together.
"""
