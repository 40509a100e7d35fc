"""MTN for the gateway's benchmarks: `python -m benchmarks.gateway_emulated` prints its port.

It is the emulator as it comes, Uganda, with one API user that may be called back on this machine.
Ordinary numbers pay at once; with the argument `phone` they wait for a decision that never comes.
"""

from __future__ import annotations

import sys
import threading

from momokit.emulator import Emulator, EmulatorSettings, running

API_USER = "4e1f6a52-0e2c-4c1b-9d5e-7a3f0b2c9d10"
API_KEY = "0123456789abcdef" * 2
SUBSCRIPTION_KEY = "fedcba9876543210" * 2


def main() -> None:
    """Serve until terminated."""
    waits = "phone" in sys.argv[1:]
    emulator = Emulator(
        EmulatorSettings(market="mtnuganda", approval="phone" if waits else "scenario")
    )
    emulator.seed(
        user_id=API_USER,
        api_key=API_KEY,
        callback_host="127.0.0.1",
        subscription_keys=(SUBSCRIPTION_KEY,),
    )
    with running(emulator) as server:
        print(server.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
