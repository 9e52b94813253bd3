"""The scenarios by name: what `lombard sim --scenario NAME` plays."""

from collections.abc import Callable

from lombard.sim import incidents, traps

_ALL = [
    incidents.poloniex_clam,
    incidents.mango,
    incidents.binance_usde,
    incidents.compound_dai,
    incidents.gdax_eth,
    incidents.quoine_b2c2,
    incidents.poloniex_withdrawals,
    incidents.poloniex_client_ids,
    incidents.coinbase_accounts,
    incidents.kraken_deposit,
    incidents.bzx_self_transfer,
    incidents.balancer_rounding,
    incidents.hundred_empty_pool,
    incidents.ftx_no_exemption,
    incidents.bitget_voxel,
    traps.round_the_sum,
    traps.dust_loops,
    traps.self_dealing,
    traps.last_unit,
    traps.transfer_against_everything,
    traps.frozen_with_borrowed,
    traps.liquidation_against_oneself,
    traps.rate_change_on_the_hour,
]
SCENARIOS: dict[str, Callable[[], None]] = {
    scenario.__name__.replace("_", "-"): scenario for scenario in _ALL
}
