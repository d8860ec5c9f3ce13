"""The models of request bodies about sweeps, and their conversion to values of the server."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from ...core.states import State
from ...core.sweeps.combinations import Mode
from ..sweeping import SweepRequest
from .bodies import Body, TaskOptions
from .fields import Arguments, Line, Scalar, example, whole


def _check_ended(state: State) -> State:
    if state.live:
        raise ValueError("must be a state in which tasks have ended")
    return state


class NewSweep(TaskOptions):
    """`POST /sweeps`: a task for each combination of parameters, at most 1000. Its name is the prefix of theirs."""

    model_config = example(
        command="python train.py --lr {lr} --seed {seed}", params={"lr": [0.001, 0.0001], "seed": "0:5"}, name="train",
        group="gpu", max_failures=3,
    )  # fmt: skip

    command: Annotated[
        Line | Arguments,
        Field(description="A shell command line, or a list of arguments, with placeholders such as `{lr}`."),
    ]
    params: Annotated[
        dict[str, list[Scalar] | str],
        Field(min_length=1, max_length=32, description="The values of each parameter: a list, or `1e-3,1e-4`, `0:5`."),
    ]
    mode: Annotated[
        Mode, Field(strict=False, description="How values are combined; `random` draws `count` combinations.")
    ] = Mode.GRID
    count: Annotated[
        Annotated[int, Field(ge=1), BeforeValidator(whole)] | None, Field(description="Tasks of a random sweep.")
    ] = None
    random_seed: Annotated[
        Annotated[int, Field(ge=0, le=2**53 - 1), BeforeValidator(whole)] | None,
        Field(description="For reproducible draws; by default a new one is used."),
    ] = None
    max_failures: Annotated[
        Annotated[int, Field(ge=1), BeforeValidator(whole)] | None,
        Field(description="After this many failed tasks, those that have not started are canceled."),
    ] = None

    def sweep(self, ladder: tuple[tuple[str, float], ...] | None) -> SweepRequest:
        """Return the manager's value; `ladder` is the stop sequence. Raises BadRequest."""
        return SweepRequest(
            task=self.task(self.command, ladder),
            params=self.params,
            mode=self.mode,
            count=self.count,
            random_seed=self.random_seed,
            max_failures=self.max_failures,
        )


class RetryStates(Body):
    """`POST /sweeps/{ref}/retry`, and `POST /groups/{name}/retry`."""

    model_config = example(states=["failed", "lost"])

    states: Annotated[
        list[Annotated[State, Field(strict=False), AfterValidator(_check_ended)]],
        Field(min_length=1, max_length=len(State), description="Tasks in these states are rerun."),
    ] = [State.FAILED, State.TIMED_OUT, State.LOST]
