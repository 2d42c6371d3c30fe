"""Neural networks, written with the public names of ``autodiff`` and NumPy.  There is no derivative in this package.

>>> import numpy as np
>>> from nn import Linear, ReLU, Sequential, cross_entropy, optim
>>> model = Sequential(Linear(2, 8, rng=0), ReLU(), Linear(8, 2, rng=1))
>>> optimizer = optim.Adam(model.parameters(), lr=0.01)
>>> loss = cross_entropy(model(np.ones((4, 2), dtype=np.float32)), np.array([0, 1, 1, 1]))
>>> loss.backward()
>>> optimizer.step()
"""

from typing import TYPE_CHECKING

from autodiff import __version__ as __version__

from . import callbacks as callbacks
from . import data as data
from . import datasets as datasets
from . import distributions as distributions
from . import init as init
from . import metrics as metrics
from . import optim as optim
from . import safetensors as safetensors
from . import schedule as schedule
from . import transforms as transforms
from .io.model_file import *
from .io.pytorch import *
from .layers.activation import *
from .layers.attention import *
from .layers.containers import *
from .layers.convolution import *
from .layers.dropout import *
from .layers.embedding import *
from .layers.functional import *
from .layers.linear import *
from .layers.module import *
from .layers.normalization import *
from .layers.pooling import *
from .layers.positions import *
from .layers.recurrent import *
from .layers.resizing import *
from .layers.sequential import *
from .layers.transformer import *
from .losses.binary import *
from .losses.classification import *
from .losses.ctc import *
from .losses.distance import *
from .losses.likelihood import *
from .losses.regression import *
from .reports.history import *
from .training.callbacks import *
from .training.checkpoint import *
from .training.data import batches as batches
from .training.data import train_test_split as train_test_split
from .training.divergence import *
from .training.learner import *
from .training.loader import *
from .training.loggers import *
from .training.processes import *
from .training.run import *
from .training.step import *
from .training.stopping import *

if not TYPE_CHECKING:  # to a type checker every name is public that is imported in this way
    _INSIDE = {"TYPE_CHECKING", "io", "layers", "losses", "random", "reports", "training"}
    __all__ = [name for name in dir() if not name.startswith("_") and name not in _INSIDE]
