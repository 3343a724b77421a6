"""What the API says when something keeps the venue from answering."""

import logging

from openperp.api.errors import ApiError
from openperp.history.base import HistoryUnusable
from openperp.node.errors import ClockError, CommandFailed, OutcomeUnknown, QueueFull, Unavailable

log = logging.getLogger(__name__)


def to_api_error(error: Exception, request: str, *, carried_out: bool = False) -> ApiError:
    """The answer to `request`, which tells "nothing was done" apart from "nobody knows".

    `carried_out` says that the command was, and that only the answer to it failed.
    What is neither of the node nor of the history is a bug, and is logged with `request`.
    """
    if isinstance(error, ClockError):
        return ApiError.saying(-1130, f"{error}.")
    if isinstance(error, Unavailable):
        return _untaken(error)
    if isinstance(error, HistoryUnusable):
        return _unread(str(error), carried_out=carried_out)
    log.error("A bug: %s could not be answered", request, exc_info=error)
    return ApiError(
        -1000,
        status=500,
        explain="a bug of the venue, which its log describes: please report it",
    )


def _untaken(error: Unavailable) -> ApiError:
    """The answer to a command that was not taken, or that was not seen through."""
    if isinstance(error, QueueFull):
        return ApiError(-1008, form=1, explain="nothing was done: too many commands wait")
    if isinstance(error, OutcomeUnknown):
        return ApiError(-1007, explain=f"outcome unknown until the venue is started again: {error}")
    if isinstance(error, CommandFailed):
        return ApiError(
            -1000,
            status=503,
            explain=f"outcome unknown: the engine broke on record {error}, please report it",
        )
    why = str(error) or "the venue is stopping"
    return ApiError(-1001, status=503, explain=f"nothing was done: {why}")


def _unread(why: str, *, carried_out: bool) -> ApiError:
    """The answer where the history cannot be read."""
    if carried_out:
        return ApiError(
            -1007,
            explain=f"the command was carried out, but not all of its answer can be read: {why}",
        )
    return ApiError(-1001, status=503, explain=f"nothing was done: {why}")
