"""What answers and events are made of."""

from typing import Any

Row = dict[str, Any]
"""One JSON object before it is written, by the names of the API."""
