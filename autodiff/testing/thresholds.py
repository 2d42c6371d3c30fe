"""The numbers that decide a verdict, each with its reason: one table.

A step is ``t = 2^-k`` along a direction whose largest component is about as large as the largest element of its array;
steps are listed by k.  "Noise" is what rounding may do to a slope at a step.
"""

from __future__ import annotations

# -- what is called wrong, and what is called resolved ---------------------------------------------------------------

EPSILON = 2.0**-52
"""The precision in which values and gradients are compared."""
RESOLVED = 0.01
"""A fault of this relative size must be visible in every element that matters."""
SEVERAL = 5.0
"""Wrong is what misses its numerical value by more than this many times the estimated error."""
AGREE = 4.0
"""How many standard deviations of noise two numbers may be apart and still agree."""
OWN_ROUNDINGS = 4.0
"""How many roundings of its terms the analytic value of a slope may be away from itself."""
SHARPER = 20.0
"""How much larger than what is no fault a difference must be, for the complex step alone to settle it."""
NEGLIGIBLE = 1 / 8
"""What is less than this part of a difference does not decide about it."""
THREE_DIGITS = 1e-3
"""A slope that is known to this relative error is known."""
CLEARLY = 64.0
"""How many times its noise a difference must be, to be seen in every row; and"""
CERTAIN = 1000.0
"""to be a jump or a bend of the function, whatever the noise is."""
AGAIN = 2
"""How many more passes must give the same gradient: two may be equal by chance."""

# -- steps -----------------------------------------------------------------------------------------------------------

QUICK = (6, 8, 10, 12)
"""The first look: from 1/64 of the size of x on, where most functions are smooth, and four rows for extrapolation."""
FINER = tuple(range(14, 41, 2))
"""Down to where a direction of ten bits still moves x without rounding."""
FINER_GROUPS = FINER[:3], FINER[3:6], FINER[6:9], FINER[9:]
FINEST = (42, 43, 44, 45)
"""Here x is rounded, and known to be: only for functions that change over all other steps."""
COARSER = tuple(range(4, -43, -2))
"""Up to where a step moves the last digit of the largest number that is added to a small one."""
STRIDE = 8
"""How far apart steps are that look for the first one that moves a function."""
LARGER = (2, 4)
"""Measured as well where larger steps may tell more than fine ones."""
FINE = 30
"""Where the slope of the first look must still be there: that of a staircase is not."""
BETWEEN = 0.75
"""The steps of a second look, as a part of those of the first: two orders that agree by luck do not agree again."""
COMPLEX_STEP = 2.0**-80
"""Nothing is subtracted, so the step may be so small that what it leaves out is less than the last digit."""

# -- noise -----------------------------------------------------------------------------------------------------------

QUANTUM = 2.0**16
"""How much larger than its arguments and its values the numbers inside of a function may be."""
TRUNCATION_GONE = 2.0**-28
"""From this step on slopes of a smooth function differ by rounding alone."""
TRUNCATION_LONG_GONE, ROWS = 2.0**-32, 4
"""How many rows from this step on say how large rounding is seen to be."""
SEEN_FROM = 2.0**-20
"""At larger steps rounding may do more than the finest rows show: the values are other ones."""
TOO_LARGE = 1e4
"""How many times larger than what operations explain noise must be, to be no noise."""
INSIDE = 4.0
"""How many roundings an operation that is not elementwise stands for: it adds up many terms."""

# -- kinks -----------------------------------------------------------------------------------------------------------

BENT = 32.0
"""How many times its noise the difference of the slopes to both sides must be."""
KINK_STEP = 2.0**-12
"""At this step or a finer one a kink must show: larger ones reach others."""
KINK_SIZE = 1e-5
"""How small, beside the slopes, their difference may be: less is a second derivative that is large."""
STAYS = 0.5
"""How much the difference may shrink from step to step: of a smooth function it shrinks to a quarter."""
GROWS = 1.15, 4.5
"""By how much slopes that grow without end grow from step to step: those of |x|^p for p from 0.1 up; a jump's by 4."""
AWAY = 2.0**-14
"""How far away the points around x are: far enough that elements that tied no longer do."""
AROUND = 2.0**-26
"""The step at these points: small beside their distance, so that it does not cross the kink again."""
POINTS = 32
"""How many of them: enough to meet each side of a kink of several elements."""
BESIDE = 2.0**-44
"""How near to x a gradient must jump: where one that only changes fast has not changed yet."""
SAME = 0.1
"""How much a gradient may change over that, relatively, and be continuous."""
MOST_KINKS = 24
"""How many elements at a kink are looked at one by one."""
NEAR = 2.0**-20
"""Elements smaller than this part of their array are small beside most steps: a kink may be near, and not at them."""

# -- artifacts -------------------------------------------------------------------------------------------------------

STEEPEST = 2.0**-16
"""How large a jump may be, beside the values, that is taken for the rounding of single precision."""
CIRCLE = 2.0**-3
"""The radius on which a function is tested for being analytic."""
STALE_STEP = 12
"""The step to the point beside x where a gradient must still be right: it must bend f, and be near."""

# -- which directions, which outputs ---------------------------------------------------------------------------------

MOST_BLOCKS = 16
"""How many directions of elements that were not resolved: they shrink by a thousand from one to the next."""
TINY = 2.0**-10
"""Of elements that are smaller than this part of their array, steps of their own size tell more."""
ATTEMPTS = 2
"""How often to look for the guilty element: along its own direction rounding may hide by chance what it did."""
QUIET = 1e-6
"""Outputs that are smaller than this part of the largest are looked at by themselves in any case."""
CLEAR = 10.0
"""How much larger than what is no fault a fault in an output must be, to be seen among others."""
MOST_PARTS = 4
"""How many groups of outputs that were not heard are looked at; the last holds all that are left."""
TOGETHER = 1e-6
"""How much smaller than the largest of them the outputs may be that are looked at together."""
SMALL_FAULT = 1e-4
"""How small a fault must be, beside the gradient of all outputs, to be looked for in small ones."""

# -- the precision of the arguments ----------------------------------------------------------------------------------

PLENTY = 8.0
"""Rounding errors of the gradient itself that need no explanation, in units of the precision."""
MATTERS = 0.05
"""How large an element must be, beside the largest of its array, to matter where rounding hides what is wrong."""
SAMPLES = 4
"""How often rounding is drawn at first, and"""
MORE_SAMPLES = 48
"""where that does not explain a difference."""
