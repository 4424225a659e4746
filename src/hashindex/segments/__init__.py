"""What is stored: segments of codes, equal codes once, and the snapshot that a search sees."""
