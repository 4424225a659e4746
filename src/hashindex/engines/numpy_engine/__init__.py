"""The plain NumPy engine."""
