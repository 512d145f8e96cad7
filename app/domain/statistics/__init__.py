"""Pure functions of numpy arrays: means and quantiles, resampling, differences with tests, ROC curves, skill."""
