"""Losses of predictions and targets, as functions and as modules.

``reduction`` is ``"mean"`` (over all compared elements), ``"sum"`` or ``"none"``.  A target is data: an array is cast
to the dtype of the prediction, so a float32 model has a float32 loss.  Shapes must be equal: a comparison of (n, 1)
with (n,) would compare all pairs.
"""
