"""Reports of a training: progress, history, curves, and a page to watch."""
