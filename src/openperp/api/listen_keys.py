"""Listen keys: what lets a socket hear the events of one account.

An account has at most one at a time. It lives for an hour of venue time from
its making or its last extension, so a clock that stands still never ends it.
Listen keys belong to this node alone; they are neither journaled nor in the
digest. Whoever wants them to outlive the process hears of each change, dumps
them and loads them again: docs/decisions/0068.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Final

import msgspec

from openperp.api.errors import ApiError

LISTEN_KEY_MS: Final = 3_600_000
"""How long a listen key lives without being extended."""

CHANGE_MS: Final = 60_000
"""Extensions by less are no change worth telling: a restart costs a key no more than this."""


class SavedKey(msgspec.Struct, frozen=True):
    """A listen key outside of this process; its end is in venue time."""

    account: int
    listen_key: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9]{64}$")]
    expires_at_ms: int


class _ListenKey:
    __slots__ = ("expires_at_ms", "text", "told_ms")

    def __init__(self, text: str, expires_at_ms: int) -> None:
        self.text = text
        self.expires_at_ms = self.told_ms = expires_at_ms


def _ignore() -> None:
    """What a change means where nothing is kept."""


class ListenKeys:
    """The active listen key of each account that has one.

    The accounts stand in the order in which their keys run out, since all keys
    live equally long: the next one to expire is always the first. `on_change` is called after a key
    was opened, extended or closed.
    """

    __slots__ = ("_accounts", "_expired", "_keys", "on_change")

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = _ignore
        self._keys: dict[int, _ListenKey] = {}
        self._accounts: dict[str, int] = {}
        self._expired: list[tuple[str, int]] = []

    def open(self, account: int, now_ms: int, mint: Callable[[], str]) -> str:
        """The account's listen key, extended, or a new one: 64 letters and digits."""
        self._drop_expired(now_ms)
        key = self._keys.get(account)
        if key is None:
            key = self._keys[account] = _ListenKey(mint(), 0)
            self._accounts[key.text] = account
        return self._extend(account, key, now_ms)

    def keep(self, account: int, now_ms: int, listen_key: str = "") -> str:
        """Extends the account's listen key and returns it.

        Raises `ApiError` -1125 where it has none, or where `listen_key` is given
        and is another.
        """
        self._drop_expired(now_ms)
        return self._extend(account, self._get(account, listen_key), now_ms)

    def close(self, account: int, listen_key: str = "") -> None:
        """Ends the account's listen key, if there is one.

        Raises `ApiError` -1125 where `listen_key` is given and is not it.
        """
        if listen_key:
            self._get(account, listen_key)
        key = self._keys.pop(account, None)
        if key is not None:
            del self._accounts[key.text]
            self.on_change()

    def dump(self) -> list[SavedKey]:
        """All keys, the next one to expire first."""
        return [
            SavedKey(account, key.text, key.expires_at_ms) for account, key in self._keys.items()
        ]

    def load(self, saved: Iterable[SavedKey], now_ms: int) -> None:
        """Takes the place of what was there; what has expired is left out, and nobody is told.

        Raises:
            ValueError: an account or a key is there twice.
        """
        alive = [each for each in saved if each.expires_at_ms > now_ms]
        if len({each.account for each in alive}) < len(alive):
            raise ValueError("an account has two listen keys")
        if len({each.listen_key for each in alive}) < len(alive):
            raise ValueError("a listen key opens two accounts")
        self._keys, self._accounts = {}, {}
        for each in sorted(alive, key=lambda each: each.expires_at_ms):
            # A clock that was set back must not lend a key more than it would get anew.
            end_ms = min(each.expires_at_ms, now_ms + LISTEN_KEY_MS)
            self._keys[each.account] = _ListenKey(each.listen_key, end_ms)
            self._accounts[each.listen_key] = each.account

    def find(self, listen_key: str, now_ms: int) -> int | None:
        """The account that a listen key opens now."""
        account = self._accounts.get(listen_key)
        if account is None or self._keys[account].expires_at_ms <= now_ms:
            return None
        return account

    def expire(self, now_ms: int) -> list[tuple[str, int]]:
        """The keys that have expired since the last call, each with its account."""
        self._drop_expired(now_ms)
        if not self._expired:
            return []
        expired, self._expired = self._expired, []
        return expired

    def next_expiry_ms(self) -> int | None:
        """When, in venue time, the next key expires if nobody extends it."""
        for key in self._keys.values():
            return key.expires_at_ms
        return None

    def _get(self, account: int, listen_key: str) -> _ListenKey:
        key = self._keys.get(account)
        if key is None:
            raise ApiError(-1125, explain="the account has no listen key, or it has expired")
        if listen_key and listen_key != key.text:
            raise ApiError(-1125, explain="this is not the listen key of the account")
        return key

    def _extend(self, account: int, key: _ListenKey, now_ms: int) -> str:
        key.expires_at_ms = now_ms + LISTEN_KEY_MS
        self._keys[account] = self._keys.pop(account)
        if abs(key.expires_at_ms - key.told_ms) >= CHANGE_MS:
            key.told_ms = key.expires_at_ms
            self.on_change()
        return key.text

    def _drop_expired(self, now_ms: int) -> None:
        while self._keys:
            account, key = next(iter(self._keys.items()))
            if key.expires_at_ms > now_ms:
                return
            del self._keys[account], self._accounts[key.text]
            self._expired.append((key.text, account))
