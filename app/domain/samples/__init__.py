"""A data set's samples: tables of them, splits, draws, and how their labels meet a model's classes."""
