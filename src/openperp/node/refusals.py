"""What the API says when the node does not take a command, or does not see it through."""

from openperp.api.errors import ApiError
from openperp.node.errors import ClockError, CommandFailed, OutcomeUnknown, QueueFull, Unavailable


def to_api_error(error: Unavailable | ClockError) -> ApiError:
    """The answer, which tells "nothing was done" apart from "nobody knows"."""
    if isinstance(error, ClockError):
        return ApiError.saying(-1130, f"{error}.")
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


def unread(why: str) -> ApiError:
    """The answer to a query that the history cannot serve."""
    return ApiError(-1001, status=503, explain=f"nothing was done: {why}")


def unread_after(why: str) -> ApiError:
    """The answer to a command that was carried out, where the answer itself cannot be read."""
    return ApiError(
        -1007,
        explain=f"the command was carried out, but not all of its answer can be read: {why}",
    )
