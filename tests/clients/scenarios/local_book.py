"""An order book kept by the documented procedure, for clients that have no code for it.

Events are kept until the snapshot is there; the first one used spans its
`lastUpdateId`, and from then on each names its forerunner in `pu`.
"""

from decimal import Decimal
from typing import Any

Levels = dict[Decimal, Decimal]


class LocalBook:
    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.bids = _levels(snapshot["bids"])
        self.asks = _levels(snapshot["asks"])
        self._last = int(snapshot["lastUpdateId"])
        self._stitched = False

    def apply(self, event: dict[str, Any]) -> None:
        """Applies a depth event, oldest first; one from before the snapshot is left out.

        Raises:
            AssertionError: An event is missing before this one.
        """
        if not self._stitched:
            if event["u"] < self._last:
                return
            assert event["U"] <= self._last, f"{event['U']} begins after {self._last}"
            self._stitched = True
        else:
            assert event["pu"] == self._last, f"{event['pu']} does not follow {self._last}"
        for levels, changes in ((self.bids, event["b"]), (self.asks, event["a"])):
            levels.update(_levels(changes))
            for price in [price for price, quantity in levels.items() if not quantity]:
                del levels[price]
        self._last = event["u"]

    def equals(self, snapshot: dict[str, Any]) -> bool:
        both = (_levels(snapshot["bids"]), _levels(snapshot["asks"]))
        return (self.bids, self.asks) == both


def _levels(rows: list[Any]) -> Levels:
    return {Decimal(price): Decimal(quantity) for price, quantity in rows}
