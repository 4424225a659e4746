"""Baselines that train a network."""
