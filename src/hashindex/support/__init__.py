"""What every room stands on: files, locks, threads, the machine; nothing here knows of codes."""
