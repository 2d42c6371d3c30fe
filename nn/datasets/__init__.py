"""Data: handwritten digits, MNIST, two half moons and a text; tables, texts and pictures in files."""

from .csv_file import Table, TableError, read_csv
from .idx import DamagedFileError, read_idx
from .moons import moons
from .nist import mnist
from .picture import read_image
from .text import read_text, sonnets
from .uci import digits

__all__ = [
    "DamagedFileError",
    "Table",
    "TableError",
    "digits",
    "mnist",
    "moons",
    "read_csv",
    "read_idx",
    "read_image",
    "read_text",
    "sonnets",
]
