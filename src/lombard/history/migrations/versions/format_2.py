"""Format 2: every table as the first release had it.

A picture of that day, which does not change any more: it shares nothing with the schema of now.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = None
branch_labels = None
depends_on = None

_EXACT: Final = sa.Text().with_variant(sa.Numeric(80, 0), "postgresql")
_TYPES: Final[dict[str, Any]] = {
    "id": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "big": sa.BigInteger(),
    "int": sa.Integer(),
    "small": sa.SmallInteger(),
    "bool": sa.Boolean(),
    "text": sa.Text(),
    "exact": _EXACT,
}
# Name, columns of the key, and the other columns; a type holds until the next one.
_TABLES: Final = (
    ("meta", "int one", "int format big applied_seq applied_ms next_ledger_id"),
    (
        "orders",
        "id order_id",
        "big account int pair small side kind force loan_type stp source text client_oid "
        "exact price_ticks size_steps budget_units small status reason "
        "exact base_units quote_units fee_units big created_ms updated_ms",
    ),
    (
        "triggers",
        "id trigger_id",
        "big account int pair small plan price_source direction side kind force loan_type stp "
        "source text client_oid exact trigger_ticks callback_e6 price_ticks size_steps "
        "budget_units big parent_id small status text reason exact reached_ticks big order_id "
        "created_ms updated_ms",
    ),
    (
        "fills",
        "id fill_id",
        "big trade_id order_id account int pair small side role kind source "
        "exact price_ticks base_units quote_units fee_units big time_ms",
    ),
    ("deposits", "id deposit_id", "big account int coin exact units big time_ms"),
    (
        "transfers",
        "id transfer_id",
        "big user from_account to_account int coin exact units text client_oid big time_ms",
    ),
    (
        "borrows",
        "id loan_id",
        "big account int coin exact units bool auto text client_oid big time_ms",
    ),
    (
        "repayments",
        "big account repay_id int coin",
        "exact interest_units principal_units remaining_units small kind big time_ms",
    ),
    (
        "interest",
        "big account interest_id int coin",
        "bool first exact rate_e12 principal_units units big time_ms exact saved_units text covers",
    ),
    (
        "ledger",
        "id ledger_id",
        "big seq account int coin small kind exact delta_units fee_units balance_units "
        "big reference_id time_ms",
    ),
    (
        "positions",
        "big account int pair",
        "exact size_units cost_units realised_units big opened_ms updated_ms",
    ),
    (
        "liquidations",
        "id liquidation_id",
        "big account started_ms exact ratio_e6 assets_value_e8 debt_value_e8 big finished_ms "
        "exact ratio_after_e6 fee_value_e8",
    ),
    (
        "liquidation_steps",
        "big liquidation_id int step",
        "big account text action int sold_coin bought_coin big order_id text prices "
        "exact ratio_before_e6 ratio_after_e6 big time_ms",
    ),
    (
        "liquidation_entries",
        "big liquidation_id int entry",
        "int step small kind int coin exact units interest_units big reference_id time_ms",
    ),
    ("margin_calls", "big account seq int position", "exact ratio_e6 big time_ms"),
    (
        "candles",
        "int pair big span_ms open_ms",
        "exact open_ticks high_ticks low_ticks close_ticks base_units quote_units big trades",
    ),
    ("rates", "int coin big from_ms", "exact rate_e12"),
    ("minutes", "small counter big minute_ms", "big first_id"),
)
# Name, table, columns of which the last is the row's id, and which rows.
_INDEXES: Final = (
    ("orders_of_account", "orders", "account pair order_id", None),
    ("orders_by_client_oid", "orders", "account client_oid order_id", "client_oid != ''"),
    ("orders_of_system", "orders", "account order_id", "source = 1"),
    ("triggers_of_account", "triggers", "account trigger_id", None),
    ("fills_of_account", "fills", "account pair fill_id", None),
    ("fills_of_pair", "fills", "pair fill_id", "role = 0"),
    ("deposits_of_account", "deposits", "account deposit_id", None),
    ("transfers_of_user", "transfers", "user transfer_id", None),
    ("borrows_of_account", "borrows", "account loan_id", None),
    ("ledger_of_account", "ledger", "account coin ledger_id", None),
    ("liquidations_of_account", "liquidations", "account liquidation_id", None),
)


def _columns(spec: str, primary_key: bool) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = []
    kind = ""
    for word in spec.split():
        if word in _TYPES:
            kind = word
        else:
            column: sa.Column[Any] = sa.Column(
                word, _TYPES[kind], primary_key=primary_key, autoincrement=False, nullable=False
            )
            columns.append(column)
    return columns


def upgrade() -> None:
    """Make the tables."""
    for name, key, others in _TABLES:
        keys = _columns(key, True)
        # In SQLite a single id is the row's own, and rows of wider keys lie in the key's order.
        op.create_table(name, *keys, *_columns(others, False), sqlite_with_rowid=len(keys) == 1)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table, columns, which in _INDEXES:
        names = columns.split()
        where = None if which is None else sa.text(which)
        op.create_index(
            name,
            table,
            names[:-1] if is_sqlite else names,
            sqlite_where=where,
            postgresql_where=where,
        )
