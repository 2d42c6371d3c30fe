"""Losses: how far predictions are from targets, as functions and as modules.

``reduction`` is ``"mean"`` (over all that was compared), ``"sum"`` or ``"none"``.  A target is data: a plain array is
taken in the dtype of the prediction, so that a float32 model has a float32 loss.  Shapes must agree exactly: comparing
(n, 1) with (n,) would compare each with each.
"""
