"""The pictures of the documentation: `python -m docs.pictures.make` audits the example's networks and draws them."""
