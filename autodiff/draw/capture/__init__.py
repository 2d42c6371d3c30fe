"""From a computation to a picture: a finished graph, a call while it runs, or what an exception carries."""
