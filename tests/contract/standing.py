"""What a refusal must leave as it was."""

from typing import Any

from openperp.testing import Venue

JOURNALED = {"seq", "history_seq"}
"""What counts records: a command that the engine refuses is a record too."""


def standing(venue: Venue) -> dict[str, Any]:
    """The venue's status and accounts, without the count of records."""
    status = {name: value for name, value in venue.status().items() if name not in JOURNALED}
    return {"status": status, "accounts": venue.operator.get("accounts")}
