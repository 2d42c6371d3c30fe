"""A small training with all that has a state, and the killing of it, as a program that has no threads."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time

import numpy as np

import nn

EPOCHS, SIZE, BATCH = 3, 22, 5
STEPS = EPOCHS * -(-SIZE // BATCH)
TIMES = ("seconds", "rate")


def data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(SIZE, 4)).astype(np.float32)
    return X, (X.sum(axis=1) > 0).astype(int)


def learner(jit=False):
    """Dropout and shuffling from one generator, batch normalisation, groups, and a schedule of steps."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(4, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.Linear(8, 2, rng=rng)
    )
    groups = [{"params": model[0].parameters(), "weight_decay": 0.1}, {"params": list(model[1:].parameters())}]
    optimizer = nn.optim.Adam(groups, lr=0.05)
    schedule = nn.schedule.OneCycleLR(optimizer, 0.1, total_steps=STEPS)
    made = nn.Learner(
        model, nn.CrossEntropyLoss(label_smoothing=0.1), optimizer, metrics=["accuracy"], scheduler=schedule,
        schedule="step", clip_norm=0.5, jit=jit,
    )  # fmt: skip
    return made, rng


def fit(path, jit=False, callbacks=(), every=1):
    """Train, from the file at ``path`` if there is one; all that came out, as bytes."""
    made, rng = learner(jit)
    X, Y = data()
    own = [nn.EarlyStopping(patience=3), nn.Checkpoint(path, every=every)] if path else [nn.EarlyStopping(patience=3)]
    resume = path if path and os.path.exists(path) else None
    history = made.fit(
        X, Y, EPOCHS, BATCH, validation=(X[:7], Y[:7]), rng=rng, callbacks=[*callbacks, *own], resume=resume,
        progress=False,
    )  # fmt: skip
    rows = [
        {name: value.hex() for name, value in row.items() if name not in TIMES and name != "epoch"}
        for row in history.rows
    ]
    state = made.optimizer.state_dict()
    moments = [a.tobytes() for each in state["state"] for a in each.values() if isinstance(a, np.ndarray)]
    parameters = [a.tobytes() for a in made.model.state_dict().values()]
    return repr(rows), parameters, moments, repr(made.optimizer), repr(rng.bit_generator.state)


class Telling(nn.Callback):
    """Writes a byte after each step."""

    def __init__(self, pipe):
        self.pipe = pipe

    def on_step(self, run):
        os.write(self.pipe, b".")


def killed(path, jit, steps, delay):
    """Train in another process, and kill it so long after so many steps."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            fit(path, jit, [Telling(write)])
            time.sleep(60)  # it is killed after its end
        finally:
            os._exit(1)
    os.close(write)
    for _ in range(steps):
        os.read(read, 1)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.close(read)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(kills):
    """Kill as many trainings at random instants, go on with each, and print how many came out equal."""
    rng = np.random.default_rng()
    whole = {jit: fit(None, jit) for jit in (False, True)}
    found = {"killed": 0, "equal": 0, "in the middle": 0, "recorded equals eager": whole[False] == whole[True]}
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # to wait for a disk would be most of the time
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for i in range(kills):
            path, jit = os.path.join(folder, f"{i}.safetensors"), i % 8 == 0
            found["killed"] += killed(path, jit, int(rng.integers(0, STEPS)), rng.random() * 0.003) == -signal.SIGKILL
            found["in the middle"] += os.path.exists(path)
            found["equal"] += fit(path, jit) == whole[jit]
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
