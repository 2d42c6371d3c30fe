"""Networks as estimators of scikit-learn: for its pipelines, grid searches and cross-validation.

>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import train_test_split
>>> X, x, Y, y = train_test_split(*load_iris(return_X_y=True), random_state=0)
>>> NNClassifier(hidden_layers=(16,), random_state=0).fit(X, Y).score(x, y) > 0.9
True
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .layers import activation as activations
from .layers.activation import log_softmax, softmax
from .layers.dropout import Dropout
from .layers.linear import Linear
from .layers.module import Module
from .layers.sequential import Sequential
from .losses.classification import cross_entropy
from .training.checks import count_of, in_range
from .training.learner import Learner
from .training.optim import LBFGS, OPTIMIZERS
from .training.stopping import EarlyStopping

__all__ = ["NNClassifier", "NNRegressor"]

Array = Any
ACTIVATIONS = {
    name.lower(): getattr(activations, name)
    for name in ("ReLU", "LeakyReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "ELU", "Mish", "Softplus")
}
BATCH = 200
"""Examples of a batch, at most, with ``batch_size="auto"``."""


class _Network(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the network, its training, and the scales of its inputs."""

    def __init__(
        self, hidden_layers: Sequence[int] = (100,), activation: str = "relu", *, optimizer: str = "adam",
        lr: float = 5e-3, weight_decay: float = 0.0, dropout: float = 0.0, epochs: int = 200,
        batch_size: int | str = "auto", standardize: bool = True, early_stopping: bool = False,
        validation_fraction: float = 0.1, patience: int = 10, tol: float = 1e-4, warm_start: bool = False,
        random_state: Any = None, verbose: bool = False,
    ) -> None:  # fmt: skip
        self.hidden_layers = hidden_layers
        self.activation = activation
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # -- training --------------------------------------------------------------------------------------------

    def fit(self, X: Array, y: Array, sample_weight: Array = None) -> Self:
        """Train on X (n, features) and y; ``sample_weight`` (n,) says how much each example counts.

        An example of weight 2 counts as two, one of weight 0 as none: with all data in one batch the result is the
        same, but for rounding.
        """
        return self._train(X, y, sample_weight, count_of("fit", "epochs", self.epochs, 1), going_on=self.warm_start)

    def _train(
        self, X: Array, y: Array, sample_weight: Array, epochs: int, *, going_on: bool, classes: Array = None
    ) -> Self:
        """Train a new network, or go on with the one that is there."""
        going_on = going_on and hasattr(self, "model_")
        kinds = (np.float64, np.float32)
        X, y = validate_data(
            self, X, y, reset=not going_on, dtype=kinds, multi_output=True, y_numeric=self._is_numeric, order="C"
        )
        weights = _weights(type(self).__name__, sample_weight, X)
        Y = self._targets(y, weights, going_on, classes)
        if not going_on:
            self._seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            self._rng = np.random.default_rng(self._seed)
            moments = _moments(X, weights)
            self.mean_: Array = moments[0] if self.standardize else np.zeros_like(moments[0])
            self.scale_: Array = moments[1] if self.standardize else np.ones_like(moments[1])
            self.model_ = self._network(X.dtype)
            self._learner = Learner(self.model_, self._loss(), self._optimizer())
            self.loss_curve_: list[float] = []
        X = ((X - self.mean_) / self.scale_).astype(X.dtype)
        targets = np.column_stack([Y, weights * (len(weights) / np.sum(weights, dtype=float))]).astype(X.dtype)
        self._fit_network(X, targets, epochs)
        return self

    def _fit_network(self, X: Array, targets: Array, epochs: int) -> None:
        """Train the network on inputs and targets, the last column of which is the weights."""
        validation, callbacks = None, []
        if self.early_stopping:
            X, x, targets, t = self._split(X, targets)
            validation = x, t
            enough = EarlyStopping(patience=self.patience, min_delta=self.tol, restore_best=True)
            callbacks.append(enough)
        size = min(BATCH, len(X)) if isinstance(self.batch_size, str) else self.batch_size
        if isinstance(self.batch_size, str) and self.batch_size != "auto":
            raise ValueError(f"{type(self).__name__}: batch_size is {self.batch_size!r}; it must be 'auto' or a number")
        if isinstance(self._learner.optimizer, LBFGS):
            size = len(X)
        history = self._learner.fit(
            X, targets, epochs, size, validation=validation, rng=self._rng, shuffle=size < len(X), callbacks=callbacks,
            progress=bool(self.verbose),
        )  # fmt: skip
        self.model_.eval()
        self.loss_curve_ = [*self.loss_curve_, *history]
        self.n_iter_ = len(self.loss_curve_)

    def _split(self, X: Array, targets: Array) -> list[Array]:
        """Part of the data for early stopping."""
        share = in_range(type(self).__name__, "validation_fraction", self.validation_fraction, 0.0)
        if not 0 < share < 1:
            raise ValueError(f"{type(self).__name__}: validation_fraction is {share}; it must lie between 0 and 1")
        seed = int(self._rng.integers(2**31))
        try:
            return list(
                train_test_split(X, targets, test_size=share, random_state=seed, stratify=self._strata(targets))
            )
        except ValueError as error:
            if len(X) * share >= 1 and self._strata(targets) is not None:  # too few of a class
                return list(train_test_split(X, targets, test_size=share, random_state=seed))
            raise ValueError(f"{type(self).__name__}: early_stopping: {error}") from None

    def _network(self, dtype: Any) -> Module:
        """A new network of dense layers."""
        who = type(self).__name__
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"{who}: activation is {self.activation!r}; it must be one of {', '.join(ACTIVATIONS)}")
        hidden = [self.hidden_layers] if isinstance(self.hidden_layers, int | np.integer) else self.hidden_layers
        widths = [self.n_features_in_, *(count_of(who, "hidden_layers", n, 1) for n in hidden)]

        def layers() -> Iterator[Module]:
            for before, after in itertools.pairwise(widths):
                yield Linear(before, after, rng=self._rng, dtype=dtype)
                yield ACTIVATIONS[self.activation]()
                if self.dropout:
                    yield Dropout(self.dropout, rng=self._rng)
            yield Linear(widths[-1], self._outputs(), rng=self._rng, dtype=dtype)

        return Sequential(*layers())

    def _optimizer(self) -> Any:
        """The optimizer of that name."""
        parameters, name = self.model_.parameters(), self.optimizer
        if name == "lbfgs":
            if self.weight_decay:
                raise ValueError(f"{type(self).__name__}: lbfgs has no weight_decay")
            return LBFGS(parameters, lr=1.0, line_search_fn="strong_wolfe")
        if name not in OPTIMIZERS:
            known = ", ".join(sorted([*OPTIMIZERS, "lbfgs"]))
            raise ValueError(f"{type(self).__name__}: optimizer is {name!r}; it must be one of {known}")
        return OPTIMIZERS[name](parameters, lr=self.lr, weight_decay=self.weight_decay)

    # -- prediction ------------------------------------------------------------------------------------------

    def _predicted(self, X: Array) -> Array:
        """The outputs of the network."""
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), order="C")
        return self._learner.predict(((X - self.mean_) / self.scale_).astype(X.dtype))

    # -- what the two differ in ------------------------------------------------------------------------------

    _is_numeric = False

    def _outputs(self) -> int:
        """How many outputs the network has."""
        raise NotImplementedError

    def _loss(self) -> Any:
        """The loss, of outputs and of targets whose last column is weights."""
        raise NotImplementedError

    def _targets(self, y: Array, weights: Array, going_on: bool, classes: Array) -> Array:
        """What the network learns, (n, columns); it is noted how to come back from it."""
        raise NotImplementedError

    def _strata(self, targets: Array) -> Array:
        """The classes that each part of the data shall have."""
        return None


class NNClassifier(ClassifierMixin, _Network):  # type: ignore[misc]
    """A classifier: a network of dense layers, trained with the cross-entropy of its classes.

    ``hidden_layers`` are the widths between inputs and outputs, ``activation`` what follows each: "relu", "tanh",
    "gelu", ...  ``optimizer`` is "adam", "adamw", "sgd", "momentum", "rmsprop", ... with ``lr`` and ``weight_decay``,
    or "lbfgs", for which an epoch is a search of up to 20 iterations over all data.  ``epochs`` are passes over the
    data in batches of ``batch_size``, by default all data up to 200 examples.  Inputs are scaled to mean 0 and variance
    1 with ``standardize``.  With ``early_stopping`` the part ``validation_fraction`` of the data is held out, and the
    training ends when its loss has not fallen by ``tol`` for ``patience`` epochs; the best parameters are kept.
    ``warm_start``: ``fit`` goes on where it ended.  ``random_state`` determines initial values, order and dropout.

    After ``fit``: ``classes_``, ``model_`` (a :class:`nn.Module`), ``loss_curve_``, ``n_iter_``, ``n_features_in_``.
    Labels are of any kind, numbers or strings.

    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> xor = NNClassifier(hidden_layers=(8,), activation="tanh", lr=0.05, random_state=0)
    >>> xor.fit(X, ["same", "other", "other", "same"]).predict(X).tolist()
    ['same', 'other', 'other', 'same']
    >>> xor.predict_proba(X).shape
    (4, 2)
    """

    def _outputs(self) -> int:
        return len(self.classes_)

    def _loss(self) -> Any:
        return _weighted_cross_entropy

    def _targets(self, y: Array, weights: Array, going_on: bool, classes: Array) -> Array:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        found = np.unique(y) if classes is None else np.unique(classes)
        if not going_on:
            self.classes_ = found
        elif classes is not None and not np.array_equal(found, self.classes_):
            raise ValueError(f"{type(self).__name__}: classes are {found}, and were {self.classes_}")
        if not np.all(np.isin(y, self.classes_)):
            new = np.setdiff1d(y, self.classes_)
            raise ValueError(f"{type(self).__name__}: y has the classes {new}, which are none of {self.classes_}")
        return np.searchsorted(self.classes_, y)

    def _strata(self, targets: Array) -> Array:
        return targets[:, 0]

    def partial_fit(self, X: Array, y: Array, classes: Array = None, sample_weight: Array = None) -> Self:
        """Train for one epoch more; at the first call ``classes`` are all that there will be, by default those in y.

        The scales of the inputs are those of the first call.
        """
        return self._train(X, y, sample_weight, 1, going_on=True, classes=classes)

    def predict_proba(self, X: Array) -> Array:
        """The probability of each class for X (n, features), in the order of ``classes_``: (n, classes)."""
        return np.asarray(softmax(self._predicted(X)))

    def predict_log_proba(self, X: Array) -> Array:
        """The logarithms of :meth:`predict_proba`."""
        return np.asarray(log_softmax(self._predicted(X)))

    def predict(self, X: Array) -> Array:
        """The most probable class for each row of X (n, features)."""
        outputs = self._predicted(X)
        return self.classes_[np.argmax(outputs, axis=1)]


class NNRegressor(RegressorMixin, _Network):  # type: ignore[misc]
    """A regression: a network of dense layers, trained with the mean squared error.

    Parameters are those of :class:`NNClassifier`.  With ``standardize`` targets are scaled as inputs are; predictions
    are in the units of y.  y has one column or several, (n,) or (n, outputs), and so have predictions.

    >>> import numpy as np
    >>> X = np.linspace(-2.0, 2.0, 50).reshape(-1, 1)
    >>> model = NNRegressor(hidden_layers=(20,), activation="tanh", optimizer="lbfgs", epochs=10, random_state=0)
    >>> model.fit(X, np.sin(X[:, 0])).score(X, np.sin(X[:, 0])) > 0.999
    True
    """

    _is_numeric = True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _outputs(self) -> int:
        return int(np.size(self._center))

    def _loss(self) -> Any:
        return _weighted_squares

    def _targets(self, y: Array, weights: Array, going_on: bool, classes: Array) -> Array:
        if y.dtype.kind not in "biuf":
            raise ValueError(f"{type(self).__name__}: y holds {y.dtype}, not numbers; NNClassifier is for labels")
        columns = y.reshape(len(y), -1)
        if not going_on:
            self._one = y.ndim == 1
            self._center, self._spread = np.zeros(columns.shape[1]), np.ones(columns.shape[1])
            if self.standardize:
                self._center, self._spread = _moments(columns, weights)
        if columns.shape[1] != len(self._center):
            raise ValueError(f"{type(self).__name__}: y has {columns.shape[1]} columns, and had {len(self._center)}")
        return (columns - self._center) / self._spread

    def partial_fit(self, X: Array, y: Array, sample_weight: Array = None) -> Self:
        """Train for one epoch more; the scales of inputs and targets are those of the first call."""
        return self._train(X, y, sample_weight, 1, going_on=True)

    def predict(self, X: Array) -> Array:
        """The predictions for X (n, features): (n,), or (n, outputs) as y had them."""
        outputs = self._predicted(X)
        found = (outputs * self._spread + self._center).astype(outputs.dtype)
        return found[:, 0] if self._one else found


def _weighted_cross_entropy(outputs: Any, targets: Array) -> Any:
    """The mean cross-entropy; the columns of the targets are labels and weights."""
    losses = cross_entropy(outputs, targets[:, 0].astype(int), reduction="none")
    return np.mean(losses * targets[:, 1])


def _weighted_squares(outputs: Any, targets: Array) -> Any:
    """The mean squared error; the last column of the targets is weights."""
    return np.mean((outputs - targets[:, :-1]) ** 2 * targets[:, -1:])


def _weights(who: str, given: Array, X: Array) -> Array:
    """A weight of at least 0 for each row of X."""
    if given is None or np.isscalar(given):
        given = np.full(len(X), 1.0 if given is None else given)
    weights = check_array(given, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weights.shape != (len(X),):
        raise ValueError(f"{who}: sample_weight has shape {weights.shape}; it must be ({len(X)},), as X has rows")
    if np.any(weights < 0):
        raise ValueError(f"{who}: sample_weight has negative numbers")
    if not np.any(weights):
        raise ValueError(f"{who}: Sample weights must contain at least one non-zero number.")
    return weights


def _moments(values: Array, weights: Array) -> tuple[Array, Array]:
    """The weighted mean and standard deviation of each column, which is 1 where all are equal."""
    weights = weights.astype(float) / np.sum(weights, dtype=float)
    mean = weights @ values
    spread = np.sqrt(weights @ (values - mean) ** 2)
    return mean, np.where(spread > 1e-12 * np.maximum(1.0, np.abs(mean)), spread, 1.0)
