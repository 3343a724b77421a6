"""Empty answers to calls outside fapi that clients make before they trade.

ccxt asks the spot wallet for currencies and margin pairs, freqtrade for spot
and coin-margined instruments, python-binance and unicorn ping the spot API. An
error there would stop them, though this venue has nothing of it. Unicorn reads
the weight it has used from a ping of the spot API before it opens an account's
stream.
"""

from typing import Any, Final

from openperp.api.endpoint import Call, Endpoint, Security
from openperp.api.endpoints.market import ping, time
from openperp.api.params import NoParams


def nothing(_call: Call, _params: NoParams) -> Any:
    return []


def no_symbols(call: Call, _params: NoParams) -> Any:
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


def _get(path: str, handle: Any, summary: str, stance: str = "") -> Endpoint[Any]:
    spot = path.startswith("/api/")
    return Endpoint("GET", path, Security.NONE, NoParams, handle, summary, stance=stance, spot=spot)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _get("/api/v3/ping", ping, "Test connectivity, as of the spot API"),
    _get("/api/v3/time", time, "Venue time, as of the spot API"),
    _get(
        "/api/v3/exchangeInfo",
        no_symbols,
        "No spot instruments",
        "Empty: there is no spot market here.",
    ),
    _get(
        "/dapi/v1/exchangeInfo",
        no_symbols,
        "No coin-margined instruments",
        "Empty: all contracts are margined in USDT.",
    ),
    _get(
        "/sapi/v1/capital/config/getall",
        nothing,
        "No wallet assets",
        "Empty: there is no spot wallet here.",
    ),
    _get(
        "/sapi/v1/margin/allPairs",
        nothing,
        "No margin pairs",
        "Empty: there is no spot market here, so nothing is borrowed for it.",
    ),
    _get(
        "/sapi/v1/margin/isolated/allPairs",
        nothing,
        "No isolated margin pairs",
        "Empty: there is no spot market here, so nothing is borrowed for it.",
    ),
)
