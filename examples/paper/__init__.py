"""The paper again, in small: Crum et al. 2023 on data that ships with packages. ``python -m examples.paper``."""
