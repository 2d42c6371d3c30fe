"""What a user may write of losses: options by name, read as attributes."""

from typing import assert_type

import numpy as np

import nn
from nn.optim import SGD, Optimizer

huber = nn.HuberLoss(delta=2.0, reduction="sum")
assert_type(huber, nn.HuberLoss)
assert_type(huber.delta, float)
assert_type(huber.reduction, str)
huber.delta = 3.0
assert_type(nn.CrossEntropyLoss(axis=1, weight=np.ones(3), label_smoothing=0.1).axis, int)
plain: nn.MSELoss = nn.MSELoss()
nn.NLLLoss(), nn.BCELoss(reduction="none"), nn.BCEWithLogitsLoss(pos_weight=2.0), nn.L1Loss()
optimizer: Optimizer = SGD(nn.Linear(2, 3).parameters(), lr=0.1)
