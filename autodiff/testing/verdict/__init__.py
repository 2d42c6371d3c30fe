"""The check of one function: correct, wrong or inconclusive, and the report."""
