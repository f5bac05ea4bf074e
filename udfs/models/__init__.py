"""Where candidates come from: one sub-package for each source."""
