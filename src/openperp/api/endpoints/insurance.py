"""The operator's view of liquidation: the insurance fund, and why an account stands as it does."""

from typing import Annotated, Any, Final

from openperp.api.endpoint import Call, Endpoint, Security, Submission
from openperp.api.endpoints.margin_parts import margin_parts
from openperp.api.endpoints.margin_steps import liquidation_rows
from openperp.api.errors import ApiError
from openperp.api.kinds import Decimal, Text
from openperp.api.params import NoParams, Params, to_money
from openperp.api.wire.numbers import money_text
from openperp.api.wire.row import Row
from openperp.engine.commands import FundInsurance
from openperp.engine.events import Applied
from openperp.engine.instruments import MARGIN_ASSET
from openperp.engine.liquidation_events import InsuranceChanged
from openperp.history.market import STEPS_KEPT


class Payment(Params, frozen=True, rename=None):
    amount: Annotated[str, Decimal()]


class OneAccount(Params, frozen=True, rename=None):
    account: Annotated[str, Text(64)]


def get_insurance_fund(call: Call, _params: NoParams) -> Row:
    return {"asset": MARGIN_ASSET, "balance": money_text(call.view.state.insurance)}


def fund_insurance(_call: Call, params: Payment) -> Submission:
    """Pays into the insurance fund, or with a minus sign takes out of it what is there."""
    negative = params.amount.startswith("-")
    amount = to_money(params.amount.removeprefix("-"), "amount")
    return Submission(FundInsurance(-amount if negative else amount), _funded)


def _funded(applied: Applied) -> Row:
    changed = applied.reply
    assert isinstance(changed, InsuranceChanged)
    return {
        "asset": MARGIN_ASSET,
        "amount": money_text(changed.amount),
        "balance": money_text(changed.insurance),
    }


def explain_account(call: Call, params: OneAccount) -> Row:
    """The margin of an account as the venue counts it now, and what was done when it was gone.

    Every number comes with the formula that gives it, in words and with its own numbers.
    """
    view, state = call.view, call.view.state
    account_id = state.account_ids.get(params.account)
    if account_id is None:
        raise ApiError.saying(-1109, f"there is no account named {params.account}", 404)
    steps = view.history.market.list_margin_steps(account_id, limit=STEPS_KEPT)
    return {
        "account": params.account,
        "asset": MARGIN_ASSET,
        "time": call.now_ms,
        "seq": state.seq,
        "liquidates": state.liquidates,
        "insurance": money_text(state.insurance),
        "margins": margin_parts(view, state.accounts[account_id]),
        "liquidations": liquidation_rows(view, steps),
    }


def _endpoint(
    method: str, path: str, params: Any, handle: Any, summary: str, **more: Any
) -> Endpoint[Any]:
    path = f"/operator/v1/{path}"
    return Endpoint(method, path, Security.OPERATOR, params, handle, summary, weight=0, **more)


ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    _endpoint("GET", "insurance", NoParams, get_insurance_fund, "The insurance fund"),
    _endpoint(
        "POST",
        "insurance",
        Payment,
        fund_insurance,
        "Pay into the insurance fund",
        requests={"Pay in": {"amount": "1000"}},
    ),
    _endpoint(
        "GET",
        "explain",
        OneAccount,
        explain_account,
        "Margin and liquidations explained",
        requests={"How demo stands": {"account": "demo"}},
    ),
)
