"""What changes a model: the loop, the step, optimizers and schedules."""
