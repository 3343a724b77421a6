"""Rate limits: exact, by the venue's clock, and bounded in memory."""

import pytest

from openperp.api.errors import ApiError
from openperp.api.limits import ADDRESSES_MAX, BAN_MS, REFUSALS_BEFORE_BAN, Limits, Pool

MINUTE = 60_000
START = 1_767_225_600_000
A = "10.0.0.1"
B = "10.0.0.2"


def charge(limits: Limits, ip: str, weight: int, now_ms: int) -> tuple[int, str]:
    """200 and the weight used, or the status and Retry-After of the refusal."""
    try:
        return 200, str(limits.charge_ip(ip, weight, now_ms, enforced=True))
    except ApiError as error:
        return error.status, dict(error.headers)[b"retry-after"].decode()


def test_the_weight_of_a_minute_is_exact() -> None:
    limits = Limits()
    for ip, weight, now_ms, expected in (
        (A, 2_399, START, (200, "2399")),
        (A, 1, START + 59_999, (200, "2400")),
        (A, 1, START + 59_999, (429, "1")),
        (B, 2_400, START + 59_999, (200, "2400")),
        (B, 1, START + 30_500, (429, "30")),
        (A, 1, START + MINUTE, (200, "1")),
    ):
        assert charge(limits, ip, weight, now_ms) == expected


def test_nothing_is_refused_where_limits_are_off_but_all_is_counted() -> None:
    limits = Limits()
    assert limits.charge_ip(A, 10_000, START, enforced=False) == 10_000
    assert limits.charge_orders(1, (5_000, 5_000), START, enforced=False) == (5_000, 5_000)


def test_going_on_after_429_is_a_ban_that_grows() -> None:
    limits = Limits()

    def provoke(now_ms: int) -> int:
        charge(limits, A, 2_400, now_ms)
        for _ in range(REFUSALS_BEFORE_BAN):
            assert charge(limits, A, 1, now_ms)[0] == 429
        status, wait = charge(limits, A, 1, now_ms)
        assert status == 418
        return int(wait)

    assert provoke(START) == BAN_MS // 1_000 == 120
    assert charge(limits, A, 1, START + BAN_MS - 1) == (418, "1")
    assert charge(limits, B, 1, START + MINUTE)[0] == 200
    assert charge(limits, A, 1, START + BAN_MS) == (200, "1")
    assert provoke(START + 3 * MINUTE) == 240
    now_ms, wait = START + 10 * MINUTE, 0
    for _ in range(20):
        wait = provoke(now_ms)
        now_ms += wait * 1_000 + MINUTE
    assert wait == 3 * 86_400


def test_a_ban_says_until_when() -> None:
    limits = Limits()
    charge(limits, A, 2_400, START)
    for _ in range(REFUSALS_BEFORE_BAN):
        charge(limits, A, 1, START)
    with pytest.raises(ApiError, match="-1003") as caught:
        limits.charge_ip(A, 1, START, enforced=True)
    assert f"banned until {START + BAN_MS}." in caught.value.msg


def draw(limits: Limits, pool: Pool, ip: str, now_ms: int) -> tuple[int, str]:
    """200 and what was drawn from the pool, or the status and Retry-After of the refusal."""
    limits.charge_ip(ip, 0, now_ms, enforced=True)
    try:
        return 200, str(limits.charge_pool(pool, ip, now_ms, enforced=True))
    except ApiError as error:
        return error.status, dict(error.headers)[b"retry-after"].decode()


@pytest.mark.parametrize(("pool", "limit"), [(Pool.FUNDING, 500), (Pool.STATISTICS, 1_000)])
def test_a_pool_is_exact_and_of_each_address(pool: Pool, limit: int) -> None:
    limits, last = Limits(), START + 5 * MINUTE - 1
    for number in range(limit):
        assert draw(limits, pool, A, START + 1) == (200, str(number + 1))
    assert draw(limits, pool, A, last) == (429, "1")
    assert draw(limits, pool, A, START + 3 * MINUTE) == (429, "120")
    assert draw(limits, pool, B, last) == (200, "1")
    other = Pool.FUNDING if pool is Pool.STATISTICS else Pool.STATISTICS
    assert draw(limits, other, A, last) == (200, "1")
    assert draw(limits, pool, A, last + 1) == (200, "1")


def test_going_on_with_an_empty_pool_is_a_ban() -> None:
    limits = Limits()
    for _ in range(Pool.FUNDING.limit):
        draw(limits, Pool.FUNDING, A, START)
    for _ in range(REFUSALS_BEFORE_BAN):
        assert draw(limits, Pool.FUNDING, A, START) == (429, "300")
    assert draw(limits, Pool.FUNDING, A, START) == (418, "120")
    assert charge(limits, A, 1, START) == (418, "120")


def test_many_addresses_do_not_fill_a_pool() -> None:
    limits = Limits()
    for number in range(ADDRESSES_MAX + 1_000):
        limits.charge_pool(Pool.FUNDING, str(number), START, enforced=True)
    assert len(limits._pools[Pool.FUNDING].counts) == ADDRESSES_MAX


def count(limits: Limits, account: int, cost: tuple[int, int], now_ms: int) -> object:
    try:
        return limits.charge_orders(account, cost, now_ms, enforced=True)
    except ApiError as error:
        return error.status, error.msg, dict(error.headers)[b"retry-after"]


def test_orders_are_counted_per_account_in_both_windows() -> None:
    limits = Limits()
    for account, cost, now_ms, expected in (
        (1, (300, 300), START, (300, 300)),
        (1, (1, 1), START + 9_999, (429, too_many("300", "10 SECOND"), b"1")),
        (2, (5, 1), START + 9_999, (5, 1)),
        (1, (300, 300), START + 10_000, (300, 600)),
        (1, (300, 300), START + 20_000, (300, 900)),
        (1, (300, 300), START + 30_000, (300, 1_200)),
        (1, (1, 1), START + 40_000, (429, too_many("1200", "MINUTE"), b"20")),
        (2, (5, 1), START + 40_000, (5, 2)),
        (1, (1, 1), START + MINUTE, (1, 1)),
    ):
        assert count(limits, account, cost, now_ms) == expected


def too_many(limit: str, span: str) -> str:
    return f"Too many new orders; current limit is {limit} orders per {span}."


def test_a_refused_order_is_not_counted() -> None:
    limits = Limits()
    count(limits, 1, (300, 300), START)
    for _ in range(5):
        count(limits, 1, (1, 1), START)
    assert count(limits, 1, (1, 1), START + 10_000) == (1, 301)


def test_many_addresses_do_not_fill_the_memory() -> None:
    limits = Limits()
    for number in range(ADDRESSES_MAX + 1_000):
        limits.charge_ip(str(number), 1, START, enforced=True)
    assert len(limits._addresses) == ADDRESSES_MAX
    assert limits.charge_ip("last", 1, START + MINUTE, enforced=True) == 1
    assert len(limits._addresses) == 1


def test_clear_forgets_counts_and_bans() -> None:
    limits = Limits()
    charge(limits, A, 2_400, START)
    for _ in range(REFUSALS_BEFORE_BAN + 1):
        charge(limits, A, 1, START)
    count(limits, 1, (300, 300), START)
    limits.charge_pool(Pool.FUNDING, B, START, enforced=True)
    limits.clear()
    assert charge(limits, A, 1, START) == (200, "1")
    assert draw(limits, Pool.FUNDING, B, START) == (200, "1")
    assert count(limits, 1, (1, 1), START) == (1, 1)
