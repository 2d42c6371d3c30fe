"""The numbers that decide a verdict, each with its reason."""

from __future__ import annotations

EPSILON = 2.0**-52
"""The precision of double precision, in which values and gradients are compared."""
RESOLVED = 0.01
"""A fault of this relative size must be visible in every element that matters."""
SEVERAL = 5.0
"""Wrong is what misses its numerical value by more than this many times the estimated error."""
AGREE = 4.0
"""How many standard deviations of noise two numbers may be apart and still agree."""
