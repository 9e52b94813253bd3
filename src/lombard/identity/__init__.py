"""Who may do what: users, passwords, API keys and their permissions."""

from lombard.identity.directory import Directory, TooManyChecks, open_directory
from lombard.identity.keys import ALL_PERMISSIONS, ApiKey, NewKey, Permission
from lombard.identity.store import StoreError
from lombard.identity.vault import VaultError

__all__ = [
    "ALL_PERMISSIONS",
    "ApiKey",
    "Directory",
    "NewKey",
    "Permission",
    "StoreError",
    "TooManyChecks",
    "VaultError",
    "open_directory",
]
