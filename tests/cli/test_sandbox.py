"""Provisioning: an API user and its key, into a file that its owner alone can read."""

from __future__ import annotations

from pathlib import Path

from momokit.settings import VARIABLES, Settings
from momokit.settings_text import read_env_lines

from .runner import Momo, Ran, run

KEY = "0123456789abcdef0123456789abcdef"


def provision(momo: Momo, path: Path, *more: str, **environment: str) -> Ran:
    """Run the command against the emulator, with a subscription key and nothing else."""
    return run(
        *("sandbox", "provision", "--callback-host", "shop.example", "--write", str(path), *more),
        **{"MOMO_BASE_URL": momo.url, "MOMO_SUBSCRIPTION_KEY": KEY, **environment},
    )


def test_the_file_is_private_and_works(momo: Momo, tmp_path: Path) -> None:
    """Mode 600, names from the table of variables, and ready for --config."""
    path = tmp_path / "momo.env"
    ran = provision(momo, path, "--json")
    lines = read_env_lines(path.read_text(encoding="utf-8"))

    assert ran.code == 0, ran.err
    assert ran.json["token_works"] is True
    assert path.stat().st_mode & 0o777 == 0o600
    assert [name for name in lines if name not in VARIABLES] == []
    assert lines["MOMO_API_USER"] == ran.json["api_user"]
    assert momo.emulator.state.users[ran.json["api_user"]].callback_host == "shop.example"
    assert run("--config", str(path), "balance").out == "1000000000 EUR\n"


def test_the_key_is_never_on_the_screen(momo: Momo, tmp_path: Path) -> None:
    """It is written to the file alone."""
    path = tmp_path / "momo.env"
    ran = provision(momo, path)
    written = read_env_lines(path.read_text(encoding="utf-8"))

    assert ran.code == 0
    assert written["MOMO_API_KEY"] not in ran.out + ran.err
    assert KEY not in ran.out + ran.err


def test_a_file_is_not_overwritten_unasked(momo: Momo, tmp_path: Path) -> None:
    """The keys in it would be lost; nothing is made before that is known."""
    path = tmp_path / "momo.env"
    path.write_text("MOMO_API_KEY=precious\n", encoding="utf-8")
    ran = provision(momo, path, "--json")

    assert ran.code == 2
    assert path.read_text(encoding="utf-8") == "MOMO_API_KEY=precious\n"
    assert momo.operations == []
    assert provision(momo, path, "--force").code == 0
    assert "precious" not in path.read_text(encoding="utf-8")


def test_one_product_after_another(momo: Momo, tmp_path: Path) -> None:
    """Each product's user and key are added under names of their own."""
    path = tmp_path / "momo.env"
    first = provision(momo, path, "--product", "collection", "--json")
    second = provision(momo, path, "--product", "disbursement", "--append", "--json")
    settings = Settings.from_file(path)

    assert settings.credentials("collection").api_user == first.json["api_user"]
    assert settings.credentials("disbursement").api_user == second.json["api_user"]
    assert settings.remittance is None
    assert provision(momo, path, "--product", "disbursement", "--append").code == 2


def test_the_key_can_be_typed(momo: Momo, tmp_path: Path) -> None:
    """It is asked for when it is nowhere, and not echoed."""
    path = tmp_path / "momo.env"
    ran = run(
        *("sandbox", "provision", "--callback-host", "shop.example", "--write", str(path)),
        stdin=f"{KEY}\n",
        MOMO_BASE_URL=momo.url,
    )

    assert ran.code == 0, ran.err
    assert KEY in path.read_text(encoding="utf-8")
    assert KEY not in ran.out + ran.err


def test_production_has_no_provisioning(tmp_path: Path) -> None:
    """The remedy says where users and keys come from there."""
    path = tmp_path / "momo.env"
    ran = run(
        *("sandbox", "provision", "--callback-host", "shop.example", "--write", str(path)),
        *("--market", "uganda", "--json"),
        MOMO_SUBSCRIPTION_KEY=KEY,
    )

    assert ran.code == 2
    assert "partner portal" in ran.error["hint"]
    assert not path.exists()


def test_a_config_file_can_be_named_by_the_environment(momo: Momo, tmp_path: Path) -> None:
    """MOMO_CONFIG stands for --config; a .env that merely lies about is not read."""
    path = tmp_path / "momo.env"
    provision(momo, path)

    assert run("balance", MOMO_CONFIG=str(path)).code == 0
    assert run("balance").code == 2
