"""Every endpoint there is, but for the sandbox's own."""

from typing import Final

from lombard.api import (
    announcements,
    closing,
    coupons,
    explaining,
    foresight,
    health,
    identity_account,
    identity_keys,
    liquidation_record,
    margin_account,
    margin_liquidations,
    margin_orders,
    margin_records,
    margin_terms,
    market,
    plan_orders,
    positions,
    public,
    rates,
    spot_lists,
    spot_orders,
    wallet,
)
from lombard.api.table import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *public.endpoints(),
    *rates.endpoints(),
    *coupons.endpoints(),
    *market.endpoints(),
    *margin_account.endpoints(),
    *margin_terms.endpoints(),
    *margin_orders.endpoints(),
    *margin_records.endpoints(),
    *margin_liquidations.endpoints(),
    *liquidation_record.endpoints(),
    *closing.endpoints(),
    *explaining.endpoints(),
    *foresight.endpoints(),
    *positions.endpoints(),
    *wallet.endpoints(),
    *spot_orders.endpoints(),
    *plan_orders.endpoints(),
    *spot_lists.endpoints(),
    *announcements.endpoints(),
    *identity_account.endpoints(),
    *identity_keys.endpoints(),
    *health.endpoints(),
)
