"""``python -m hub.cli`` is the ``hub`` command, wherever the package is importable."""

from hub.cli import main

main()
