"""What fapi tells of a funding: the rate, its past, the income and the event of those who paid."""

import json

from msgspec.structs import replace
from tests.api.offline import START_MS, OfflineVenue
from tests.api.streams.listener import HeardVenue, Listener
from tests.api.trader import Trader, trade

from openperp.engine.commands import DefineInstrument, Pulse, SetPrice

HOUR = 3_600_000
STAMP_MS = START_MS + 8 * HOUR


def wait(venue: OfflineVenue, until_ms: int) -> None:
    venue.now_ms = until_ms
    venue.apply(Pulse())


def test_the_past_has_every_funding(alice: Trader) -> None:
    venue = alice.venue
    path = "/fapi/v1/fundingRate"
    assert venue.get(path) == []
    venue.price("BTCUSDT", 610_000)
    wait(venue, START_MS + 17 * HOUR)
    rows = venue.get(path, "symbol=BTCUSDT")
    assert rows[0] == {
        "symbol": "BTCUSDT",
        "fundingRate": "0.00010000",
        "fundingTime": STAMP_MS,
        "markPrice": "61000",
        "rateType": "Regular",
    }
    assert [row["fundingTime"] for row in rows] == [STAMP_MS, START_MS + 16 * HOUR]
    assert [row["symbol"] for row in venue.get(path)] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"] * 2
    assert [row["fundingTime"] for row in venue.get(path, f"startTime={START_MS}&limit=1")] == [
        STAMP_MS
    ]
    assert venue.get(path, "symbol=BTCUSDT&limit=1") == rows[1:]
    assert venue.get(path, f"symbol=BTCUSDT&endTime={STAMP_MS}") == rows[:1]


def test_terms_are_listed_where_they_are_not_the_ordinary_ones(alice: Trader) -> None:
    venue = alice.venue
    assert venue.get("/fapi/v1/fundingInfo") == []
    spec = replace(venue.state.markets["SOLUSDT"].spec, funding_hours=4, funding_cap_ppm=20_000)
    venue.apply(DefineInstrument(spec, 15_000))
    assert venue.get("/fapi/v1/fundingInfo") == [
        {
            "symbol": "SOLUSDT",
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": 4,
            "disclaimer": False,
            "updateTime": START_MS,
        }
    ]
    assert venue.get("/fapi/v1/premiumIndex", "symbol=SOLUSDT")["nextFundingTime"] == (
        START_MS + 4 * HOUR
    )
    spec = replace(spec, funding_hours=0)
    venue.apply(DefineInstrument(spec, 15_000))
    assert venue.get("/fapi/v1/fundingInfo") == []
    row = venue.get("/fapi/v1/premiumIndex", "symbol=SOLUSDT")
    assert (row["nextFundingTime"], row["lastFundingRate"]) == (0, "0.00000000")


def test_the_estimate_follows_the_premium(alice: Trader, bob: Trader) -> None:
    venue = alice.venue
    bob.limit(price="60600", quantity="1", side="BUY", symbol="BTCUSDT")
    wait(venue, START_MS + 5_000)
    # The premium of 1 % less 0.05 % is above the cap, 0.75 x 0.4 %.
    row = venue.get("/fapi/v1/premiumIndex", "symbol=BTCUSDT")
    assert row["lastFundingRate"] == "0.00300000"
    bars = venue.get("/fapi/v1/premiumIndexKlines", "symbol=BTCUSDT&interval=1m")
    assert bars[-1][1:5] == ["0.00000000", "0.01000000", "0.00000000", "0.01000000"]


def test_income_and_wallet_agree_after_a_funding(alice: Trader, bob: Trader) -> None:
    trade(alice, bob, quantity="0.1")
    wait(alice.venue, STAMP_MS + 60_000)
    for trader, amount in ((alice, "-0.60000000"), (bob, "0.60000000")):
        (row,) = trader.get("/fapi/v1/income", incomeType="FUNDING_FEE")
        assert row == {
            "symbol": "BTCUSDT",
            "incomeType": "FUNDING_FEE",
            "income": amount,
            "asset": "USDT",
            "info": "FUNDING_FEE",
            "time": STAMP_MS,
            "tranId": row["tranId"],
            "tradeId": "",
        }
        wallet = sum(round(float(row["income"]) * 1e8) for row in trader.get("/fapi/v1/income"))
        assert f"{wallet / 1e8:.8f}" == trader.get("/fapi/v3/balance")[0]["balance"]


def test_who_listens_hears_of_it_at_the_time_of_the_stamp() -> None:
    alice = Listener(HeardVenue("ztdx"))
    bob = Listener(alice.ears, "bob")
    trade(alice, bob, quantity="0.1")
    alice.hear()
    balance = alice.get("/fapi/v3/balance")[0]["balance"]
    wait(alice.venue, STAMP_MS + 60_000)
    (event,) = alice.hear()
    left = f"{float(balance) - 0.6:.8f}"
    assert event == {
        "e": "ACCOUNT_UPDATE",
        "E": STAMP_MS,
        "T": STAMP_MS,
        "a": {
            "m": "FUNDING_FEE",
            "S": "BTCUSDT",
            "B": [{"a": "USDT", "wb": left, "cw": left, "bc": "-0.60000000"}],
            "P": [],
        },
    }


def test_the_operator_sets_the_index_and_mark_follows_by_the_formula() -> None:
    """In the demo market, where the last price stays."""
    venue = OfflineVenue(market="demo")
    venue.apply(SetPrice("BTCUSDT", 600_000, formula=True))
    alice, bob = Trader(venue), Trader(venue, "bob")
    trade(alice, bob)
    reply = venue.operator("POST", "price", symbol="BTCUSDT", price="60500")
    answer = json.loads(reply.body)
    assert {key: answer[key] for key in ("index", "mark", "last")} == {
        "index": "60500",
        "mark": "60500",
        "last": "60000",
    }
    assert venue.state.markets["BTCUSDT"].formula
