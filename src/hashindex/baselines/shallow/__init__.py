"""Baselines on features, NumPy alone."""
