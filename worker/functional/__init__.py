"""Tensors in, tensors out: no model, file, clock or global state."""
