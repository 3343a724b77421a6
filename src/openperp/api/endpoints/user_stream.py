"""The listen key: opening, keeping and closing an account's user data stream.

All three ask for the API key alone; a signature that comes along is not looked at.
"""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.kinds import Text
from openperp.api.params import NoParams, Params
from openperp.api.wire.row import Row


class ListenKeyChoice(Params, frozen=True):
    """The account has only one key, so naming it is a check and no choice."""

    listen_key: Annotated[str, Text()] = ""


def open_stream(call: Call, _params: NoParams) -> Row:
    """The active listen key, or a new one; either lives for another hour."""
    view = call.view
    listen_key = view.listen_keys.open(call.account, call.now_ms, lambda: view.mint().api_key)
    return {"listenKey": listen_key}


def keep_stream(call: Call, params: ListenKeyChoice) -> Row:
    keys = call.view.listen_keys
    return {"listenKey": keys.keep(call.account, call.now_ms, params.listen_key)}


def close_stream(call: Call, params: ListenKeyChoice) -> Row:
    call.view.listen_keys.close(call.account, params.listen_key)
    return {}


_PATH: Final = "/fapi/v1/listenKey"
_KEY: Final = Security.USER_STREAM

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        "POST",
        _PATH,
        _KEY,
        NoParams,
        open_stream,
        "Open the user data stream, or extend it",
        ws=("userDataStream.start",),
    ),
    Endpoint(
        "PUT",
        _PATH,
        _KEY,
        ListenKeyChoice,
        keep_stream,
        "Keep the user data stream for another hour",
        ws=("userDataStream.ping",),
    ),
    Endpoint(
        "DELETE",
        _PATH,
        _KEY,
        ListenKeyChoice,
        close_stream,
        "Close the user data stream",
        ws=("userDataStream.stop",),
    ),
)
