"""Client order ids that the engine makes up."""

from typing import Final

AUTO_PREFIX: Final = "auto_"


def auto_client_id(order_id: int) -> str:
    """The client id of an order that was sent without one."""
    return f"{AUTO_PREFIX}{order_id}"
