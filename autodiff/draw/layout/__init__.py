"""Where boxes stand and where arrows run: knows sizes and arrows, and no format."""
