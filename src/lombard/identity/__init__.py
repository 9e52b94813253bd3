"""Who may do what: users, passwords, API keys and their permissions."""

from lombard.identity.directory import (
    KEYS_MAX,
    Directory,
    NewOperator,
    TooManyChecks,
    TooManyKeys,
    machine_ms,
    open_directory,
)
from lombard.identity.keys import ALL_PERMISSIONS, ApiKey, NewKey, Permission, Role
from lombard.identity.people import EmailTaken, normal_email
from lombard.identity.store import StoreError
from lombard.identity.vault import VaultError

__all__ = [
    "ALL_PERMISSIONS",
    "KEYS_MAX",
    "ApiKey",
    "Directory",
    "EmailTaken",
    "NewKey",
    "NewOperator",
    "Permission",
    "Role",
    "StoreError",
    "TooManyChecks",
    "TooManyKeys",
    "VaultError",
    "machine_ms",
    "normal_email",
    "open_directory",
]
