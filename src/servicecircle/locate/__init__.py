"""Location models on plain arrays: one file a problem."""
