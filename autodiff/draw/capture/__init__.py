"""Capture: the picture of a finished graph, of a call while it runs, or of the graph in an exception."""
