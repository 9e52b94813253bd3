"""Who may do what: users, passwords, sessions, API keys and their permissions."""

from lombard.identity.accounts import Accounts
from lombard.identity.allowlist import AllowListError, parse_allowed, permits, write_allowed
from lombard.identity.audit import NOTHING, Entry, Seal
from lombard.identity.backoff import TooManyFailures
from lombard.identity.directory import (
    KEYS_MAX,
    Directory,
    NewOperator,
    TooManyKeys,
    machine_ms,
    open_directory,
)
from lombard.identity.examining import Examined, examine_audit
from lombard.identity.keys import ALL_PERMISSIONS, ApiKey, NewKey, Permission, Role
from lombard.identity.outcomes import (
    CodeNeeded,
    LoggedIn,
    Origin,
    TotpState,
    UnknownUser,
    WeakPassword,
    WrongCode,
    WrongPassword,
    WrongToken,
)
from lombard.identity.passwords import weakness
from lombard.identity.people import EmailTaken, Person, normal_email
from lombard.identity.pool import TooManyChecks
from lombard.identity.resets import NewReset
from lombard.identity.sessions import Session, csrf_token_of
from lombard.identity.store import StoreError
from lombard.identity.vault import VaultError

__all__ = [
    "ALL_PERMISSIONS",
    "KEYS_MAX",
    "NOTHING",
    "Accounts",
    "AllowListError",
    "ApiKey",
    "CodeNeeded",
    "Directory",
    "EmailTaken",
    "Entry",
    "Examined",
    "LoggedIn",
    "NewKey",
    "NewOperator",
    "NewReset",
    "Origin",
    "Permission",
    "Person",
    "Role",
    "Seal",
    "Session",
    "StoreError",
    "TooManyChecks",
    "TooManyFailures",
    "TooManyKeys",
    "TotpState",
    "UnknownUser",
    "VaultError",
    "WeakPassword",
    "WrongCode",
    "WrongPassword",
    "WrongToken",
    "csrf_token_of",
    "examine_audit",
    "machine_ms",
    "normal_email",
    "open_directory",
    "parse_allowed",
    "permits",
    "weakness",
    "write_allowed",
]
