"""``python -m nn.cli`` is the console script ``pullback``."""

import sys

from .console import main

if __name__ == "__main__":
    sys.exit(main())
