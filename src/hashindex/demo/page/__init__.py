"""The page of a demo run."""
