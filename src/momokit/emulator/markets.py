"""What the emulator knows of each market: currency, decimals and the shape of its numbers."""

from __future__ import annotations

from typing import NamedTuple


class Market(NamedTuple):
    """One target environment as the provider checks it."""

    country: str
    currencies: tuple[str, ...]
    decimals: int
    calling_code: str
    digits: tuple[int, ...]

    def knows(self, msisdn: str) -> bool:
        """Whether a number can belong to this market at all."""
        if not self.calling_code:
            return True
        return msisdn.startswith(self.calling_code) and len(msisdn) in self.digits


MARKETS = {
    "sandbox": Market("Sandbox", ("EUR",), 2, "", ()),
    "mtnuganda": Market("Uganda", ("UGX",), 0, "256", (12,)),
    "mtnghana": Market("Ghana", ("GHS",), 2, "233", (12,)),
    "mtnivorycoast": Market("Côte d'Ivoire", ("XOF",), 0, "225", (13,)),
    "mtnzambia": Market("Zambia", ("ZMW",), 2, "260", (12,)),
    "mtncameroon": Market("Cameroon", ("XAF",), 0, "237", (12,)),
    "mtnbenin": Market("Benin", ("XOF",), 0, "229", (13,)),
    "mtncongo": Market("Congo-Brazzaville", ("XAF",), 0, "242", (12,)),
    "mtnswaziland": Market("Eswatini", ("SZL",), 2, "268", (11,)),
    "mtnguineaconakry": Market("Guinea", ("GNF",), 0, "224", (12,)),
    "mtnsouthafrica": Market("South Africa", ("ZAR",), 2, "27", (11,)),
    "mtnliberia": Market("Liberia", ("LRD", "USD"), 2, "231", (10, 11, 12)),
    "mtnsouthsudan": Market("South Sudan", ("SSP",), 2, "211", (12,)),
    "mtnnigeria": Market("Nigeria", ("NGN",), 2, "234", (13,)),
    "mtnrwanda": Market("Rwanda", ("RWF",), 0, "250", (12,)),
}
