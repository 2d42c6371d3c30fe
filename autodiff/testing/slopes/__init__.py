"""The slope of a function along a direction, and whether the gradient agrees with it."""
