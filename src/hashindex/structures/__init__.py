"""Search structures: ways to find codes in one segment, and what they cost."""
