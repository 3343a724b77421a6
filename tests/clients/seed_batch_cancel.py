"""A batch cancel as a user of the API writes it: requests, hmac, and nothing of ours.

Only the base URL, the keys and the ids are filled in, from the environment.
"""

import hashlib
import hmac
import json
import os
import time
from urllib.parse import quote

import requests

API_KEY = os.environ["API_KEY"]
API_SECRET = os.environ["API_SECRET"]
BASE_URL = os.environ["BASE_URL"]


def sign(msg: str) -> str:
    return hmac.new(API_SECRET.encode(), msg.encode(), hashlib.sha256).hexdigest()


# Ids as strings, percent-encoded, and the signature over the encoded text.
order_ids = json.loads(os.environ["ORDER_IDS"])

ts = int(time.time() * 1000)
id_list_str = json.dumps(order_ids, separators=(",", ":"))
encoded = quote(id_list_str)
qs = f"symbol=BTCUSDT&orderIdList={encoded}&timestamp={ts}"
sig = sign(qs)
resp = requests.delete(
    f"{BASE_URL}/fapi/v1/batchOrders?{qs}&signature={sig}",
    headers={"X-MBX-APIKEY": API_KEY},
    timeout=10,
)
print(json.dumps(resp.json()))
