"""Training: the loop, the step, optimizers and schedules."""
