"""Checks of gradients: a verdict, the culprit, and a reproducer.

>>> import numpy as np
>>> from autodiff.testing import gradcheck
>>> gradcheck(lambda x: np.sum(np.sin(x)), np.linspace(-1.0, 1.0, 5)).verdict
'correct'
"""

from .gradcheck import assert_gradcheck, gradcheck
from .report import GradientError, Report

__all__ = ["GradientError", "Report", "assert_gradcheck", "gradcheck"]
