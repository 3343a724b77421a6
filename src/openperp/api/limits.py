"""Rate limits: request weight per IP address, order count per account, pools, bans.

Windows are fixed and follow the venue's clock: a minute is a minute of venue
time, so a clock that stands still never refills them. The counters belong to
this node alone; they are neither journaled nor in the digest. Only the current
windows are kept, so memory is bounded by what one window can bring, and by
`ADDRESSES_MAX`.
"""

from enum import Enum
from typing import Final

from openperp.api.errors import ApiError

WEIGHT_PER_MINUTE: Final = 2400
ORDERS_PER_10_SECONDS: Final = 300
ORDERS_PER_MINUTE: Final = 1200

REFUSALS_BEFORE_BAN: Final = 50
"""Requests that an address may still send in a minute after its first 429."""
BAN_MS: Final = 120_000
"""The first ban; each further one is twice as long."""
BAN_MS_MAX: Final = 3 * 86_400_000
ADDRESSES_MAX: Final = 50_000


class Pool(Enum):
    """A limit of its own: so many requests of an address per span, whatever their weight."""

    FUNDING = (500, 300_000)
    STATISTICS = (1000, 300_000)

    def __init__(self, limit: int, span_ms: int) -> None:
        self.limit = limit
        self.span_ms = span_ms


class _Window:
    """What each address took from a pool in the current span."""

    __slots__ = ("counts", "number")

    def __init__(self) -> None:
        self.number = -1
        self.counts: dict[str, int] = {}


class _Address:
    """What one address did in the current minute."""

    __slots__ = ("refusals", "weight")

    def __init__(self) -> None:
        self.weight = 0
        self.refusals = 0


class _Ban:
    __slots__ = ("length_ms", "until_ms")

    def __init__(self, until_ms: int, length_ms: int) -> None:
        self.until_ms = until_ms
        self.length_ms = length_ms


class Limits:
    """Counts on every request, refuses only where `enforced` says so."""

    __slots__ = (
        "_addresses",
        "_bans",
        "_minute",
        "_orders",
        "_orders_10s",
        "_pools",
        "_ten_seconds",
    )

    def __init__(self) -> None:
        self._addresses: dict[str, _Address] = {}
        self._bans: dict[str, _Ban] = {}
        self._orders: dict[int, int] = {}
        self._orders_10s: dict[int, int] = {}
        self._pools = {pool: _Window() for pool in Pool}
        self._minute = -1
        self._ten_seconds = -1

    def clear(self) -> None:
        """Forgets everything, as if nobody had called yet."""
        for counts in (self._addresses, self._bans, self._orders, self._orders_10s):
            counts.clear()
        for window in self._pools.values():
            window.counts.clear()

    def charge_ip(self, ip: str, weight: int, now_ms: int, *, enforced: bool) -> int:
        """Charges request weight and returns what the address has used this minute.

        Raises `ApiError` -1003, with status 429 over the limit and 418 when banned.
        """
        if now_ms // 60_000 != self._minute:
            self._begin_minute(now_ms)
        address = self._addresses.get(ip)
        if address is None:
            address = self._add_address(ip)
        address.weight += weight
        if enforced and (address.weight > WEIGHT_PER_MINUTE or self._bans):
            self._check_address(ip, address, now_ms)
        return address.weight

    def weight_of(self, ip: str) -> int:
        """What an address has used, as of the last charge of anyone."""
        address = self._addresses.get(ip)
        return 0 if address is None else address.weight

    def charge_pool(self, pool: Pool, ip: str, now_ms: int, *, enforced: bool) -> int:
        """Charges one request and returns what the address took from the pool in this span.

        `charge_ip` goes before it. Raises `ApiError` -1003 as that does.
        """
        window = self._pools[pool]
        if now_ms // pool.span_ms != window.number:
            window.number = now_ms // pool.span_ms
            window.counts.clear()
        if len(window.counts) >= ADDRESSES_MAX and ip not in window.counts:
            del window.counts[next(iter(window.counts))]
        used = window.counts[ip] = window.counts.get(ip, 0) + 1
        if enforced and used > pool.limit:
            minutes = pool.span_ms // 60_000
            taken = f"{used} of {pool.limit} requests in these {minutes} minutes"
            raise self._refuse(ip, now_ms, pool.limit, pool.span_ms, taken)
        return used

    def charge_orders(
        self, account: int, count: tuple[int, int], now_ms: int, *, enforced: bool
    ) -> tuple[int, int]:
        """Charges orders and returns the counts of the account, per 10 s and per minute.

        Raises `ApiError` -1015 with status 429 over either limit.
        """
        if now_ms // 60_000 != self._minute:
            self._begin_minute(now_ms)
        if now_ms // 10_000 != self._ten_seconds:
            self._ten_seconds = now_ms // 10_000
            self._orders_10s.clear()
        ten_seconds = self._orders_10s.get(account, 0) + count[0]
        minute = self._orders.get(account, 0) + count[1]
        if enforced and ten_seconds > ORDERS_PER_10_SECONDS:
            raise _too_many_orders(ORDERS_PER_10_SECONDS, 10, now_ms)
        if enforced and minute > ORDERS_PER_MINUTE:
            raise _too_many_orders(ORDERS_PER_MINUTE, 60, now_ms)
        self._orders_10s[account] = ten_seconds
        self._orders[account] = minute
        return ten_seconds, minute

    def _begin_minute(self, now_ms: int) -> None:
        self._minute = now_ms // 60_000
        self._addresses.clear()
        self._orders.clear()
        if self._bans:
            forgotten_ms = now_ms - BAN_MS_MAX
            for ip in [ip for ip, ban in self._bans.items() if ban.until_ms <= forgotten_ms]:
                del self._bans[ip]

    def _add_address(self, ip: str) -> _Address:
        if len(self._addresses) >= ADDRESSES_MAX:
            del self._addresses[next(iter(self._addresses))]
        address = self._addresses[ip] = _Address()
        return address

    def _check_address(self, ip: str, address: _Address, now_ms: int) -> None:
        ban = self._bans.get(ip)
        if ban is not None and now_ms < ban.until_ms:
            raise _banned(ban.until_ms, now_ms)
        if address.weight <= WEIGHT_PER_MINUTE:
            return
        used = f"weight {address.weight} of {WEIGHT_PER_MINUTE} in this minute"
        raise self._refuse(ip, now_ms, WEIGHT_PER_MINUTE, 60_000, used)

    def _refuse(self, ip: str, now_ms: int, limit: int, span_ms: int, used: str) -> ApiError:
        """The answer to one request too many: 429, and 418 to an address that goes on."""
        address = self._addresses[ip]
        address.refusals += 1
        if address.refusals > REFUSALS_BEFORE_BAN:
            return _banned(self._ban(ip, now_ms).until_ms, now_ms)
        return ApiError(
            -1003,
            limit,
            "minute" if span_ms == 60_000 else f"{span_ms // 60_000} minutes",
            retry_ms=span_ms - now_ms % span_ms,
            explain=f"{used} of venue time",
        )

    def _ban(self, ip: str, now_ms: int) -> _Ban:
        previous = self._bans.pop(ip, None)
        length_ms = BAN_MS if previous is None else min(2 * previous.length_ms, BAN_MS_MAX)
        if len(self._bans) >= ADDRESSES_MAX:
            del self._bans[next(iter(self._bans))]
        ban = self._bans[ip] = _Ban(now_ms + length_ms, length_ms)
        return ban


def _banned(until_ms: int, now_ms: int) -> ApiError:
    return ApiError(
        -1003,
        until_ms,
        form=1,
        status=418,
        retry_ms=until_ms - now_ms,
        explain=f"banned until {until_ms}, venue clock {now_ms}",
    )


def _too_many_orders(limit: int, seconds: int, now_ms: int) -> ApiError:
    span = "10 SECOND" if seconds == 10 else "MINUTE"
    return ApiError(
        -1015,
        limit,
        span,
        retry_ms=seconds * 1000 - now_ms % (seconds * 1000),
        explain=f"{limit} orders per {seconds} seconds of venue time are used up",
    )
