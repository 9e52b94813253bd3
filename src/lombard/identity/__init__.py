"""Who may do what: users, passwords, sessions, API keys and their permissions."""

from lombard.identity.accounts import (
    Accounts,
    CodeNeeded,
    LoggedIn,
    Origin,
    TotpState,
    WrongCode,
    WrongPassword,
)
from lombard.identity.allowlist import AllowListError, parse_allowed, permits, write_allowed
from lombard.identity.audit import Entry
from lombard.identity.backoff import TooManyFailures
from lombard.identity.directory import (
    KEYS_MAX,
    Directory,
    NewOperator,
    TooManyKeys,
    machine_ms,
    open_directory,
)
from lombard.identity.keys import ALL_PERMISSIONS, ApiKey, NewKey, Permission, Role
from lombard.identity.passwords import weakness
from lombard.identity.people import EmailTaken, Person, normal_email
from lombard.identity.pool import TooManyChecks
from lombard.identity.sessions import Session, csrf_token_of
from lombard.identity.store import StoreError
from lombard.identity.vault import VaultError

__all__ = [
    "ALL_PERMISSIONS",
    "KEYS_MAX",
    "Accounts",
    "AllowListError",
    "ApiKey",
    "CodeNeeded",
    "Directory",
    "EmailTaken",
    "Entry",
    "LoggedIn",
    "NewKey",
    "NewOperator",
    "Origin",
    "Permission",
    "Person",
    "Role",
    "Session",
    "StoreError",
    "TooManyChecks",
    "TooManyFailures",
    "TooManyKeys",
    "TotpState",
    "VaultError",
    "WrongCode",
    "WrongPassword",
    "csrf_token_of",
    "machine_ms",
    "normal_email",
    "open_directory",
    "parse_allowed",
    "permits",
    "weakness",
    "write_allowed",
]
