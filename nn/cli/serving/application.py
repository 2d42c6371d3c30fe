"""The application: what is answered at which path."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import traceback
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..kinds import Inputs
from ..runs import Run
from .batching import Batches
from .bodies import BodyError, inputs, kind_of_body
from .measures import FORMAT, Measures
from .page import HEADERS, page

SMALL = 64_000
"""A body of at most so many bytes is read at once; a thread for it would take longer."""
PATIENCE = 10.0
"""So many seconds may pass until the body of a request is there."""


class Limits(NamedTuple):
    """What one server takes on."""

    batch: int = 64
    """So many examples go through the model together."""
    wait: float = 0.002
    """So many seconds the first of them waits for others."""
    queue: int = 100
    """So many requests are let in at once."""
    body: int = 4_000_000
    """So many bytes may a body have."""


class Service:
    """A trained model with what its answers need; :attr:`application` speaks HTTP for it."""

    def __init__(self, run: Run, limits: Limits) -> None:
        self.kind = run.kind
        self.limits = limits
        self.form = {"run": run.folder.name, **run.kind.form()}
        self.measures = Measures()
        self.page = page(self.form)
        self._learner = run.learner()
        self.batches = Batches(self._outputs, most=limits.batch, wait=limits.wait, measures=self.measures)
        self.application = Starlette(
            routes=[
                Route("/", self._page),
                Route("/predict", self._predict, methods=["POST"]),
                Route("/model", self._model),
                Route("/health", self._health),
                Route("/metrics", self._metrics),
            ],
            exception_handlers={HTTPException: _refused},
            lifespan=self._life,
        )

    @contextlib.asynccontextmanager
    async def _life(self, application: Starlette) -> AsyncIterator[None]:
        async with self.batches:
            yield

    # -- paths -----------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(self.page, headers=HEADERS)

    async def _model(self, request: Request) -> Response:
        return JSONResponse(self.form)

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        return Response(self.measures.text(), headers={"Content-Type": FORMAT})

    async def _predict(self, request: Request) -> Response:
        start = time.perf_counter()
        if self.measures.waiting >= self.limits.queue:
            answer = _error(
                f"{self.limits.queue} requests wait already; ask again in a moment", 503, {"Retry-After": "1"}
            )
        else:
            self.measures.waiting += 1
            try:
                answer = JSONResponse(await self._predictions(request))
            except BodyError as error:
                answer = _error(str(error), error.status)
            except Exception as error:
                answer = _failure(error)
            finally:
                self.measures.waiting -= 1
        self.measures.answered(answer.status_code, time.perf_counter() - start)
        return answer

    # -- a prediction ----------------------------------------------------------------------------------------------

    async def _predictions(self, request: Request) -> dict[str, Any]:
        """What the model says about the body.  Raises BodyError."""
        contents = await self._body(request)
        what = kind_of_body(request.headers.get("content-type", ""), contents)
        if len(contents) <= SMALL and not what.startswith("image/"):
            found = inputs(self.kind, what, contents)
        else:
            found = await asyncio.to_thread(inputs, self.kind, what, contents)
        outputs = await self.batches.outputs(found.arrays)
        if not np.isfinite(outputs).all():
            raise BodyError("the model's answer is not finite: the inputs are too far from those of its training")
        answers = self.kind.answers(outputs)[1]
        if "seen" in request.query_params:
            answers = _with_pictures(answers, found)
        return {"predictions": answers}

    def _outputs(self, arrays: Any) -> Any:
        """The outputs of the model; what is not finite in them is refused later, and warned of by nobody."""
        with np.errstate(all="ignore"):
            return self._learner.predict(arrays)

    async def _body(self, request: Request) -> bytes:
        """The body, as long as it is not too long, and comes.  Raises BodyError."""
        most = self.limits.body
        said = request.headers.get("content-length", "")
        too_long = BodyError(f"the body is longer than {most:,} bytes, which are the most; send it in parts", 413)
        if said.isdecimal() and int(said) > most:
            raise too_long
        pieces, length = [], 0
        try:
            async with asyncio.timeout(PATIENCE):
                async for piece in request.stream():
                    length += len(piece)
                    if length > most:
                        raise too_long
                    pieces.append(piece)
        except TimeoutError:
            raise BodyError(f"the body did not come within {PATIENCE:g} seconds", 408) from None
        except ClientDisconnect:
            raise BodyError("the connection ended before the body did") from None
        return b"".join(pieces)


def _with_pictures(answers: list[dict[str, Any]], found: Inputs) -> list[dict[str, Any]]:
    """The answers with what the model saw: brightness from 0 to 1, line by line."""
    if not found.pictures:
        return answers
    shown = [np.round(np.asarray(picture.pixels, float), 3).tolist() for picture in found.pictures]
    return [{**answer, "seen": seen} for answer, seen in zip(answers, shown, strict=True)]


# -- errors --------------------------------------------------------------------------------------------------------


def _error(message: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers)


def _failure(error: Exception) -> JSONResponse:
    """A fault of the server: told to whoever runs it, and not to whoever asks."""
    traceback.print_exception(error, file=sys.stderr)
    return _error("the server failed; its log says why", 500)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    message = {
        404: f"there is nothing at {request.url.path}; there are /, /predict, /model, /health and /metrics",
        405: f"{request.method} is not for {request.url.path}; it takes {headers.get('Allow', 'another method')}",
    }.get(error.status_code, error.detail)
    return _error(message, error.status_code, headers)
