"""Listen keys: what lets a socket hear the events of one account.

An account has at most one at a time. It lives for an hour of venue time from
its making or its last extension, so a clock that stands still never ends it.
Listen keys belong to this node alone; they are neither journaled nor in the
digest, and a restart forgets them.
"""

from collections.abc import Callable
from typing import Final

from openperp.api.errors import ApiError

LISTEN_KEY_MS: Final = 3_600_000
"""How long a listen key lives without being extended."""


class _ListenKey:
    __slots__ = ("expires_at_ms", "text")

    def __init__(self, text: str, expires_at_ms: int) -> None:
        self.text = text
        self.expires_at_ms = expires_at_ms


class ListenKeys:
    """The active listen key of each account that has one.

    The accounts stand in the order in which their keys run out, since all keys
    live equally long: the next one to expire is always the first.
    """

    __slots__ = ("_accounts", "_expired", "_keys")

    def __init__(self) -> None:
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
        return key.text

    def _drop_expired(self, now_ms: int) -> None:
        while self._keys:
            account, key = next(iter(self._keys.items()))
            if key.expires_at_ms > now_ms:
                return
            del self._keys[account], self._accounts[key.text]
            self._expired.append((key.text, account))
