"""Multi-index hashing: tables of buckets by substrings of the code."""
