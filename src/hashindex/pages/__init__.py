"""Drawing pages: self-contained HTML with pictures inside."""
