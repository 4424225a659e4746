"""What every room stands on: files, locks, threads, progress, the machine; nothing here knows of codes."""
