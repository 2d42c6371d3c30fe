"""The layout: positions of boxes and paths of arrows.  It uses sizes and arrows, and no format."""
