"""Programs of numbers: calls of one kind that are ready at one time are made together, on a tape."""

from .levelling import levelled as levelled
from .replaying import LevelReplay as LevelReplay
from .replaying import replay_of as replay_of
