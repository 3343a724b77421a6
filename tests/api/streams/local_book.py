"""The local order book that Binance's clients keep, by the documented procedure and no other way."""

from typing import Any

Book = dict[str, dict[str, str]]


class Gap(Exception):
    """The updates do not connect: a client would have to begin anew."""


class LocalBook:
    """Fed with updates from its start and with one snapshot at some later time."""

    def __init__(self) -> None:
        self.levels: Book = {"bids": {}, "asks": {}}
        self.updates = 0
        self._buffer: list[dict[str, Any]] = []
        self._snapshot_id: int | None = None
        self._last_id: int | None = None

    def load(self, snapshot: dict[str, Any]) -> None:
        """Takes the snapshot and what was buffered until then."""
        self._snapshot_id = snapshot["lastUpdateId"]
        for side in ("bids", "asks"):
            self.levels[side] = dict(snapshot[side])
        for update in self._buffer:
            self._follow(update)
        self._buffer.clear()

    def hear(self, update: dict[str, Any]) -> None:
        assert update["U"] <= update["u"]
        assert update["pu"] < update["U"]
        if self._snapshot_id is None:
            self._buffer.append(update)
        else:
            self._follow(update)

    def _follow(self, update: dict[str, Any]) -> None:
        assert self._snapshot_id is not None
        if self._last_id is None:
            if update["u"] < self._snapshot_id:
                return
            if not update["U"] <= self._snapshot_id <= update["u"]:
                raise Gap(f"{update['U']} to {update['u']} misses {self._snapshot_id}")
        elif update["pu"] != self._last_id:
            raise Gap(f"{update['pu']} follows {self._last_id}")
        self._last_id = update["u"]
        self.updates += 1
        for side, changes in (("bids", update["b"]), ("asks", update["a"])):
            for price, quantity in changes:
                if float(quantity):
                    self.levels[side][price] = quantity
                else:
                    self.levels[side].pop(price, None)
