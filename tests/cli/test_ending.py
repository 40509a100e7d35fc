"""How the command ends when something comes between: an interruption, a fault of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from momokit.cli.exits import EXIT_CODES, code_of_error
from momokit.cli.group import momo as command
from momokit.cli.session import InHand, Session
from momokit.errors import (
    AlreadyExists,
    AuthenticationFailed,
    ConfigurationError,
    InvalidInput,
    MissingExtra,
    MomoError,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refused,
    Unavailable,
)

from .runner import OURS, Momo

PAYER = "256772123456"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x", field="y"), 2),
        (ConfigurationError("x", field="y"), 2),
        (MissingExtra("cli", missing="click"), 2),
        (Refused("x"), 3),
        (AuthenticationFailed("x"), 3),
        (PermissionDenied("x"), 3),
        (NotFound("x"), 3),
        (AlreadyExists("x"), 3),
        (NotSent("x"), 4),
        (RateLimited("x"), 4),
        (Unavailable("x"), 4),
        (OutcomeUnknown("x"), 5),
        (MomoError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, MomoError) else str(value),
)
def test_every_error_has_its_exit_code(error: MomoError, code: int) -> None:
    """The line that matters runs between 5 and the rest."""
    assert code_of_error(error) == code
    assert code in EXIT_CODES


def test_only_an_unknown_outcome_forbids_a_retry_by_its_code() -> None:
    """Whatever exits with 5 is not to be repeated, and nothing else is so."""
    assert OutcomeUnknown("x").retry_is_safe is False
    assert NotSent("x").retry_is_safe is True


def test_ctrl_c_while_waiting_tells_the_reference_id(momo: Momo) -> None:
    """A real process, interrupted: exit code 130, and the question to ask."""
    momo.emulator.change_settings(approval="phone")
    process = subprocess.Popen(
        [sys.executable, "-m", "momokit.cli.main", "request-to-pay", "25", PAYER, "--wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if k not in OURS} | dict(momo.environment),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "PENDING" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    reference_id = momo.emulator.payments()[0].reference_id
    assert process.returncode == 130
    assert f"momo status request-to-pay {reference_id}" in err
    assert "Traceback" not in err


class BrokenSession(Session):
    """A session whose settings fail in a way nobody foresaw, with a secret in the text."""

    def settings(self, **given: Any) -> Any:
        """Fail."""
        self.in_hand = InHand(kind="transfer", product="disbursement", reference_id="the-id")
        raise RuntimeError("canary-secret")


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_the_unforeseen_exits_with_1_and_keeps_its_text_to_itself(more: tuple[str, ...]) -> None:
    """No traceback and no message that could hold a key; the reference id is told."""
    environment = dict.fromkeys(OURS)
    ran = CliRunner().invoke(command, ["balance", *more], obj=BrokenSession(), env=environment)

    assert ran.exit_code == 1
    assert "canary-secret" not in ran.output
    assert "RuntimeError" in ran.stderr
    assert "the-id" in ran.stderr


def test_without_arguments_the_overview_is_shown() -> None:
    """It is what one wants to see then."""
    ran = CliRunner().invoke(command, [])

    assert ran.exit_code == 2
    assert "request-to-pay" in ran.output
