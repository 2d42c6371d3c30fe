"""``python -m nn`` is the console script ``pullback``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
