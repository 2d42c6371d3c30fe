"""Predictions over HTTP: what a request holds, which of them are computed together, what is measured, and a page."""
