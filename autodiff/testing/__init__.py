"""Checks of gradients: a verdict, the culprit, and a reproducer.

>>> import numpy as np
>>> from autodiff.testing import gradcheck
>>> gradcheck(lambda x: np.sum(np.sin(x)), np.linspace(-1.0, 1.0, 5)).verdict
'correct'
"""

from typing import TYPE_CHECKING, Any

from .difference import difference
from .graph.anomaly import AnomalyError, detect_anomaly
from .graph.graphcheck import check_graph
from .graph.record import record
from .graph.upcast import UpcastError, detect_upcast
from .table.survey import Survey, survey
from .verdict.gradcheck import assert_gradcheck, gradcheck
from .verdict.report import GradientError, Report

if TYPE_CHECKING:
    from .property import gradient_property as gradient_property

__all__ = [
    "AnomalyError",
    "GradientError",
    "Report",
    "Survey",
    "UpcastError",
    "assert_gradcheck",
    "check_graph",
    "detect_anomaly",
    "detect_upcast",
    "difference",
    "gradcheck",
    "record",
    "survey",
]


def __getattr__(name: str) -> Any:
    if name != "gradient_property":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .property import gradient_property  # needs Hypothesis, the rest of the package NumPy alone

    return gradient_property
