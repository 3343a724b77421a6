#!/usr/bin/env bash
# A batch cancel as a user of the API writes it: curl and openssl. API_KEY,
# API_SECRET, BASE_URL and ORDER_IDS (comma-separated) come from the environment.
# -g keeps curl from reading the square brackets as a pattern of its own.
TIMESTAMP=$(date +%s%3N)
QUERY_STRING="symbol=BTCUSDT&orderIdList=[${ORDER_IDS}]&timestamp=${TIMESTAMP}"
SIGNATURE=$(echo -n "${QUERY_STRING}" | openssl dgst -sha256 -hmac "${API_SECRET}" | awk '{print $2}')

curl -g -s -X DELETE \
  -H "X-MBX-APIKEY: ${API_KEY}" \
  "${BASE_URL}/fapi/v1/batchOrders?${QUERY_STRING}&signature=${SIGNATURE}"
