"""The emulator in a process of its own, for the benchmarks: `python -m benchmarks.emulated`.

It knows one account (see `Keys`), is Uganda, and prints its port.
"""

from __future__ import annotations

import threading

from benchmarks.contestants import Keys
from momokit.emulator import Emulator, EmulatorSettings, running


def main() -> None:
    """Serve until terminated."""
    emulator = Emulator(EmulatorSettings(market="mtnuganda"))
    keys = Keys()
    emulator.seed(
        user_id=keys.api_user,
        api_key=keys.api_key,
        subscription_keys=(keys.subscription_key,),
    )
    with running(emulator) as server:
        print(server.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
