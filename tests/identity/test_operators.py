"""Operators: made on the command line, with a key that no trader's permission fits into."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lombard.cli.app import app
from lombard.identity import (
    ALL_PERMISSIONS,
    EmailTaken,
    Origin,
    Permission,
    Role,
    normal_email,
    open_directory,
)
from lombard.identity.keys import may_be_given
from lombard.sandbox.catalogue import example
from tests.api.house import run


def test_an_operator_has_a_number_below_zero_and_one_permission(tmp_path: Path) -> None:
    async def test() -> None:
        directory = open_directory(tmp_path)
        made = await directory.create_operator("ann@example.org")
        with pytest.raises(EmailTaken):
            await directory.create_operator("ann@example.org")
        second = await directory.create_operator("bob@example.org")
        assert [-1, -2] == [made.key.user, second.key.user]
        directory.close()

        directory = open_directory(tmp_path)
        key = directory.find(made.key.key)
        assert key is not None
        assert (-1, Permission.OPERATOR) == (key.user, key.permissions)
        assert await directory.passphrase_is_right(key, made.key.passphrase.encode())
        roles = [directory.role_of(user) for user in (-1, -2, 1, 0)]
        assert [Role.OPERATOR, Role.OPERATOR, Role.TRADER, Role.TRADER] == roles
        directory.close()

    run(test())


@pytest.mark.parametrize("permissions", [Permission(bits) for bits in range(16)], ids=str)
def test_no_trader_s_key_is_an_operator_s(tmp_path: Path, permissions: Permission) -> None:
    mixed = bool(permissions & Permission.OPERATOR) and bool(permissions & ALL_PERMISSIONS)
    has = bool(permissions & Permission.OPERATOR)
    assert may_be_given(Role.TRADER, permissions) == (not has)
    assert may_be_given(Role.OPERATOR, permissions) == (not permissions & ALL_PERMISSIONS)
    assert not mixed or not may_be_given(Role.OPERATOR, permissions)

    async def test() -> None:
        directory = open_directory(tmp_path)
        if has:
            with pytest.raises(AssertionError, match="not for this role"):
                await directory.create_key(7, permissions)
        else:
            await directory.create_key(7, permissions)
        directory.close()

    run(test())


def test_one_is_made_in_a_directory_that_nobody_has_open(tmp_path: Path) -> None:
    catalogue, data = tmp_path / "catalogue.toml", tmp_path / "data"
    catalogue.write_text(example())
    told = CliRunner().invoke(app, ["create-operator", "ann@example.org", "--data", str(data)])
    assert (1, True) == (told.exit_code, "holds no venue" in told.output)
    data.mkdir()
    assert 0 == CliRunner().invoke(app, ["init", str(catalogue), "--data", str(data)]).exit_code

    told = CliRunner().invoke(app, ["create-operator", "Ann@Example.org", "--data", str(data)])
    assert 0 == told.exit_code
    shown = dict(re.findall(r"^  (\S+) +(\S+)$", told.output, re.MULTILINE))
    assert ["e-mail", "password", "apiKey", "secretKey", "passphrase"] == list(shown)
    assert "ann@example.org" == shown["e-mail"]
    directory = open_directory(data)
    key = directory.find(shown["apiKey"])
    assert key is not None
    assert Permission.OPERATOR == key.permissions
    directory.close()

    again = CliRunner().invoke(app, ["create-operator", "ann@example.org", "--data", str(data)])
    assert (1, True) == (again.exit_code, "is a user of this venue already" in again.output)
    wrong = CliRunner().invoke(app, ["create-operator", "ann", "--data", str(data)])
    assert (1, True) == (wrong.exit_code, "is no e-mail address" in wrong.output)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ann@Example.ORG ", "ann@example.org"),
        ("a+b@x.co", "a+b@x.co"),
        ("ann", ""),
        ("@x.org", ""),
        ("ann@", ""),
        ("ann@localhost", ""),
        ("a@b@c.org", ""),
        ("a b@c.org", ""),
        ("a\n@c.org", ""),
        ("ä@c.org", ""),
        ("x" * 250 + "@c.org", ""),
    ],
)
def test_addresses_are_kept_in_one_form(text: str, expected: str) -> None:
    assert expected == normal_email(text)


def test_a_password_is_reset_in_a_directory_that_nobody_has_open(tmp_path: Path) -> None:
    catalogue, data = tmp_path / "catalogue.toml", tmp_path / "data"
    catalogue.write_text(example())
    said = CliRunner().invoke(app, ["reset-password", "ann@example.org", "--data", str(data)])
    assert (1, True) == (said.exit_code, "holds no venue" in said.output)
    data.mkdir()
    for call in (
        ["init", str(catalogue), "--data", str(data)],
        ["create-operator", "ann@example.org", "--data", str(data)],
    ):
        assert 0 == CliRunner().invoke(app, call).exit_code
    for nobody in ("ben@example.org", "ann", ""):
        said = CliRunner().invoke(app, ["reset-password", nobody, "--data", str(data)])
        assert (1, True) == (said.exit_code, "is no user of this venue" in said.output)
    ask = ["reset-password", "Ann@Example.org", "--data", str(data)]
    for more in ([], ["--without-device"]):
        said = CliRunner().invoke(app, [*ask, *more])
        assert 0 == said.exit_code
        shown = dict(re.findall(r"^  (\S+) +(\S+)$", said.output, re.MULTILINE))
        assert ["e-mail", "token", "until"] == list(shown)

    async def test() -> None:
        directory = open_directory(data)
        here = Origin("192.0.2.1", "Browser/1")
        set_by = await directory.accounts.reset_password(shown["token"], "a new password", "", here)
        assert "ann@example.org" == set_by.email
        found = await directory.accounts.check_password("ann@example.org", "a new password", here)
        assert set_by.id == found.id
        details = [entry.detail for entry in await directory.accounts.audit(set_by.user, 0, 4)]
        assert ["", "at the machine, device removed with it", "at the machine"] == details[:3]
        directory.close()

    run(test())
