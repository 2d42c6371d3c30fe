"""Correct, wrong, or inconclusive: the check of one function, and its report."""
