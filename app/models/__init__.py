"""Models: the classifiers under audit."""
