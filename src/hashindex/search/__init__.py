"""One search over one snapshot: choose a structure for every part, run it, merge."""
