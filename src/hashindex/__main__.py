"""``python -m hashindex`` is the ``hashindex`` command."""

from .cli.main import main

raise SystemExit(main())
