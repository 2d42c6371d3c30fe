"""The numbers that decide a verdict, each with its reason: one table.

A step is ``t = 2^-k``; steps are listed by k.  The largest component of a direction is about as large as the largest
element of its array.  The *noise* of a slope is the error that rounding may cause at its step.
"""

from __future__ import annotations

# -- what is called wrong, and what is called resolved ---------------------------------------------------------------

EPSILON = 2.0**-52
"""The precision in which values and gradients are compared."""
RESOLVED = 0.01
"""A relative fault of this size must be detectable in each element that matters."""
SEVERAL = 5.0
"""A gradient is wrong if it differs from the numeric slope by more than this many times the estimated error."""
AGREE = 4.0
"""Two numbers agree if they differ by at most this many standard deviations of the noise."""
OWN_ROUNDINGS = 4.0
"""The rounding error of the analytic slope, in roundings of its terms."""
SHARPER = 20.0
"""The complex step alone decides if the difference is this many times the allowed one."""
NEGLIGIBLE = 1 / 8
"""What is smaller than this part of a difference does not decide about it."""
THREE_DIGITS = 1e-3
"""A slope counts as known if its relative error is at most this."""
CLEARLY = 64.0
"""A difference of this many times its noise shows in each row; and"""
CERTAIN = 1000.0
"""of this many times, it is a jump or a bend of the function."""
FACTORS = (-2.0, -0.5)
"""Exact multiples of the cotangent.  A difference must show with both: one may overflow, or become subnormal."""
REORDERED = 1e-9, 1e-13
"""Two equal passes differ by at most this, relative to an element and to the largest: sums change their order."""
AGAIN = 2
"""The number of further passes that must give the same gradient: two may be equal by chance."""

# -- steps -----------------------------------------------------------------------------------------------------------

QUICK = (6, 8, 10, 12)
"""The first steps: at 1/64 of the size of x most functions are smooth, and extrapolation needs four rows."""
FINER = tuple(range(14, 41, 2))
"""Down to the step at which a direction of ten bits still moves x without rounding."""
FINER_GROUPS = FINER[:3], FINER[3:6], FINER[6:9], FINER[9:]
FINEST = (42, 43, 44, 45)
"""At these x is rounded, by a known amount.  They are for functions that change over all other steps."""
COARSER = tuple(range(4, -43, -2))
"""Up to the step that moves the last digit of the largest number that is added to a small one."""
STRIDE = 8
"""The distance of the steps that search for the first one at which a function changes."""
LARGER = (2, 4)
"""Also measured where larger steps may show another slope than fine ones."""
FINE = 30
"""At this step the slope of the first steps must still be there.  That of a staircase is not."""
BETWEEN = 0.75
"""The factor of the steps of a second look: two orders that agree by chance do not agree again."""
SMALL = 2.0 ** -QUICK[0]
"""Relative to x.  Larger steps may be larger than the features of f around x."""
COMPLEX_STEP = 2.0**-80
"""Nothing is subtracted, so the step may be so small that the truncation error is below the last digit."""

# -- noise -----------------------------------------------------------------------------------------------------------

QUANTUM = 2.0**16
"""The numbers inside of a function may be this much larger than its arguments and values."""
TRUNCATION_GONE = 2.0**-28
"""From this step on, slopes of a smooth function differ by rounding alone."""
TRUNCATION_LONG_GONE, ROWS = 2.0**-32, 4
"""This many rows from this step on show how large the rounding is."""
SEEN_FROM = 2.0**-20
"""At larger steps the rounding may be larger than in the finest rows, because the values are different."""
TOO_LARGE = 1e4
"""Scatter of this many times the rounding of the operations is not rounding."""
INSIDE = 4.0
"""An operation that is not elementwise counts as this many roundings, because it adds many terms."""

# -- kinks -----------------------------------------------------------------------------------------------------------

BENT = 32.0
"""The one-sided slopes at a kink differ by at least this many times their noise."""
KINK_STEP = 2.0**-12
"""A kink must show at this step or a finer one: larger steps reach other kinks."""
KINK_SIZE = 1e-5
"""The smallest difference relative to the slopes.  Below this it is a large second derivative."""
STAYS = 0.5
"""The difference may shrink to this part from step to step.  That of a smooth function shrinks to a quarter."""
GROWS = 1.15, 4.5
"""Slopes that grow without end grow by such a factor from step to step: |x|^p for p >= 0.1, a jump by 4."""
AWAY = 2.0**-14
"""The distance of the points around x: far enough that equal elements become different."""
AROUND = 2.0**-26
"""The step at these points: small beside their distance, so it does not cross the kink again."""
POINTS = 32
"""The number of points: enough to reach each side of a kink of several elements."""
BESIDE = 2.0**-44
"""The distance over which a gradient must jump.  One that only changes fast has not changed yet."""
SAME = 0.1
"""The largest relative change over that distance of a continuous gradient."""
MOST_KINKS = 24
"""At most this many elements at a kink are examined one by one."""
NEAR = 2.0**-20
"""An element smaller than this part of its array is smaller than most steps: the kink may be beside it."""

# -- artifacts -------------------------------------------------------------------------------------------------------

STEEPEST = 2.0**-16
"""The largest jump, relative to the values, that may be the rounding of single precision."""
CIRCLE = 2.0**-3
"""The radius on which a function is tested for being analytic."""
STALE_STEP = 12
"""The step to the point beside x at which the gradient is tested again: f must bend over it."""
FOLLOWS = 0.05
"""The part of the change of the slope by which that of the gradient may differ: third derivatives, and no cache."""

# -- which directions, which outputs ---------------------------------------------------------------------------------

MOST_BLOCKS = 16
"""The most directions of elements that were not resolved.  Sizes shrink by a thousand from one to the next."""
TINY = 2.0**-10
"""Elements smaller than this part of their array also need steps of their own size."""
ATTEMPTS = 2
"""The number of searches for the wrong element: along its own direction rounding may hide the fault by chance."""
QUIET = 1e-6
"""Outputs smaller than this part of the largest are always examined by themselves."""
CLEAR = 10.0
"""A fault in one output shows among the others if it is this many times the allowed difference."""
MOST_PARTS = 4
"""The most groups of small outputs that are examined; the last holds all that are left."""
TOGETHER = 1e-6
"""Outputs are examined together down to this part of the largest of them."""
SMALL_FAULT = 1e-4
"""A fault smaller than this part of the gradient of all outputs is searched in the small ones."""

# -- the precision of the arguments ----------------------------------------------------------------------------------

PLENTY = 8.0
"""Rounding errors of the gradient that need no explanation, in units of the precision."""
MATTERS = 0.05
"""Elements down to this part of the largest of their array matter where rounding may hide a fault."""
SPREAD = 8.0
"""A change by rounding may be this many times the largest in a few samples."""
SAMPLES = 4
"""The number of samples of random rounding at first, and"""
MORE_SAMPLES = 48
"""if these do not explain a difference."""
