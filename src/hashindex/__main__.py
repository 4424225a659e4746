"""``python -m hashindex`` is the ``hashindex`` command."""

from .cli import main

raise SystemExit(main())
