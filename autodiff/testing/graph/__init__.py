"""Checks of a whole graph: the faulty operation, and its line of code."""
