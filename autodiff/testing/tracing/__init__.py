"""Operations as they are recorded: their arguments, results and lines of code, and the backward passes."""
