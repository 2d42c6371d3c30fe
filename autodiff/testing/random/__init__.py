"""What Hypothesis draws: arrays, calls of entries, and whole programs."""
