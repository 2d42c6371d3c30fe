"""Neural networks, written with the public names of ``autodiff`` and NumPy: no derivative stands here.

>>> import numpy as np
>>> from nn import Linear, ReLU, Sequential, cross_entropy, optim
>>> model = Sequential(Linear(2, 8, rng=0), ReLU(), Linear(8, 2, rng=1))
>>> optimizer = optim.Adam(model.parameters(), lr=0.01)
>>> loss = cross_entropy(model(np.ones((4, 2), dtype=np.float32)), np.array([0, 1, 1, 1]))
>>> loss.backward()
>>> optimizer.step()
"""

from autodiff import __version__ as __version__

from . import data, datasets, init, metrics, optim, safetensors, schedule
from .activation import (
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    log_softmax,
    softmax,
)
from .criterion import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from .data import batches, train_test_split
from .divergence import DivergenceError
from .dropout import Dropout
from .history import History
from .learner import Learner
from .linear import Flatten, Linear
from .loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from .module import Module
from .sequential import Sequential

__all__ = [
    "GELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "DivergenceError",
    "Dropout",
    "Flatten",
    "History",
    "HuberLoss",
    "L1Loss",
    "LeakyReLU",
    "Learner",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "NLLLoss",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "batches",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "data",
    "datasets",
    "huber_loss",
    "init",
    "l1_loss",
    "log_softmax",
    "metrics",
    "mse_loss",
    "nll_loss",
    "optim",
    "safetensors",
    "schedule",
    "softmax",
    "train_test_split",
]
