"""Several orders in one request: each element stands alone and keeps its place in the answer."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from openperp.api.endpoint import Call, Submission
from openperp.api.errors import MISSING, ApiError, from_reject
from openperp.api.explain import explain_missing
from openperp.api.params import Params, Reader, lower_names
from openperp.engine.commands import AmendOrder, Batch, PlaceOrder
from openperp.engine.events import Applied
from openperp.engine.rejects import Reject

Form = TypeVar("Form", bound=Params)
Element = TypeVar("Element", PlaceOrder, AmendOrder)
Elements = tuple[dict[str, Any], ...]


def submit_each(
    call: Call,
    elements: Elements,
    reader: Reader[Form],
    build: Callable[[Call, Form], Element],
    write: Callable[[Call, Form, Any, Applied], msgspec.Raw],
) -> Any:
    """Submits what `build` makes of each element; `write` tells the reply to its form.

    Elements that break a rule of their form never reach the engine.
    """
    outcomes = [_read(call, element, reader, build) for element in elements]
    commands = tuple([outcome[1] for outcome in outcomes if not isinstance(outcome, ApiError)])
    if not commands:
        return outcomes
    return Submission(Batch(commands), lambda applied: _finish(call, outcomes, applied, write))


def _read(
    call: Call,
    element: dict[str, Any],
    reader: Reader[Form],
    build: Callable[[Call, Form], Element],
) -> tuple[Form, Element] | ApiError:
    try:
        fields = lower_names(element)
        if "params" in call.view.strict:
            reader.check_known(fields)
        form = reader.read(fields)
        return form, build(call, form)
    except ApiError as error:
        if error.code == MISSING and not error.explain:
            error.explain = explain_missing(error.msg, "this order", element)
        return error


def _finish(
    call: Call,
    outcomes: list[tuple[Form, Element] | ApiError],
    applied: Applied,
    write: Callable[[Call, Form, Any, Applied], msgspec.Raw],
) -> list[msgspec.Raw | ApiError]:
    replies = iter(cast("tuple[Any, ...]", applied.reply))
    entries: list[msgspec.Raw | ApiError] = []
    for outcome in outcomes:
        if isinstance(outcome, ApiError):
            entries.append(outcome)
            continue
        form, command = outcome
        reply = next(replies)
        if isinstance(reply, Reject):
            spec = call.view.state.markets[command.symbol].spec
            entries.append(from_reject(reply, call.view.dialect, spec))
        else:
            entries.append(write(call, form, reply, applied))
    return entries
