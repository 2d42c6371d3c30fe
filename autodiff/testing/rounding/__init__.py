"""The rounding errors of values and gradients."""
