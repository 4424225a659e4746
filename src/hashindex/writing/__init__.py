"""How an index changes: what is added, merged and removed, each time as a new snapshot."""
