"""The twelve classes of what does not agree with MTN's statement, and who may close one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from momokit._reason_words import Words


class Kind(StrEnum):
    """The classes; the API and the export call them by these words."""

    AT_PROVIDER_ONLY = "at_provider_only"
    AT_OURS_ONLY = "at_ours_only"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STATUS = "status"
    DUPLICATE_AT_PROVIDER = "duplicate_at_provider"
    FEE = "fee"
    PARTY = "party"
    DATE_SHIFT = "date_shift"
    REVERSED_LATER = "reversed_later"
    BALANCE_DRIFT = "balance_drift"
    UNREADABLE_ROW = "unreadable_row"


class Stand(StrEnum):
    """Where a discrepancy stands. `gone`: it was found no more, and nobody had to close it."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"
    GONE = "gone"


RESOLUTIONS: Mapping[str, Words] = MappingProxyType(
    {
        "explained": Words("Explained; nothing to correct.", "Expliqué ; rien à corriger."),
        "corrected_here": Words("Corrected in our books.", "Corrigé dans nos livres."),
        "corrected_by_mtn": Words("Corrected by MTN.", "Corrigé par MTN."),
        "refunded": Words("Paid back.", "Remboursé."),
        "written_off": Words("Written off.", "Passé en perte."),
    }
)
"""How a discrepancy can end."""

WORDS: Mapping[Kind, tuple[Words, Words]] = MappingProxyType(
    {
        Kind.AT_PROVIDER_ONLY: (
            Words("MTN has it, our books do not.", "MTN l'a, nos livres ne l'ont pas."),
            Words(
                "Find out who moved it: another system, a person in the portal, or a lost record.",
                "Cherchez qui l'a fait : un autre système, une personne au portail, une perte.",
            ),
        ),
        Kind.AT_OURS_ONLY: (
            Words(
                "Our books call it successful, MTN's statement does not have it.",
                "Nos livres le disent réussi, le relevé de MTN ne l'a pas.",
            ),
            Words(
                "See that the statement covers the day; then ask MTN with the reference id.",
                "Vérifiez que le relevé couvre le jour, puis demandez à MTN avec la référence.",
            ),
        ),
        Kind.AMOUNT: (
            Words("MTN moved another amount.", "MTN a déplacé un autre montant."),
            Words("Ask MTN with both amounts.", "Demandez à MTN avec les deux montants."),
        ),
        Kind.CURRENCY: (
            Words("MTN names another currency.", "MTN donne une autre devise."),
            Words("Check the account, then ask MTN.", "Vérifiez le compte, puis demandez à MTN."),
        ),
        Kind.STATUS: (
            Words(
                "MTN's statement and our books say different things of its end.",
                "Le relevé de MTN et nos livres ne disent pas la même fin.",
            ),
            Words(
                "The gateway asks MTN again by itself; look once it has answered.",
                "La passerelle redemande à MTN d'elle-même ; regardez après sa réponse.",
            ),
        ),
        Kind.DUPLICATE_AT_PROVIDER: (
            Words("MTN has it more than once.", "MTN l'a plus d'une fois."),
            Words(
                "Money may have moved twice: ask MTN at once, with both lines.",
                "L'argent a pu bouger deux fois : demandez à MTN aussitôt, avec les deux lignes.",
            ),
        ),
        Kind.FEE: (
            Words("MTN took another fee than agreed.", "MTN a pris d'autres frais que convenu."),
            Words("Compare with your contract.", "Comparez avec votre contrat."),
        ),
        Kind.PARTY: (
            Words("Another number paid or was paid.", "Un autre numéro a payé ou reçu."),
            Words("Find out who before anything is paid again.", "Cherchez qui avant de repayer."),
        ),
        Kind.DATE_SHIFT: (
            Words("MTN books it on another day.", "MTN le compte un autre jour."),
            Words("Book it in MTN's period.", "Comptez-le dans la période de MTN."),
        ),
        Kind.REVERSED_LATER: (
            Words("MTN gave the money back later.", "MTN a rendu l'argent plus tard."),
            Words(
                "Take back what was delivered, or pay again on a new payment.",
                "Reprenez ce qui fut livré, ou repayez par un nouveau paiement.",
            ),
        ),
        Kind.BALANCE_DRIFT: (
            Words("The balances do not follow from the lines.", "Les soldes ne suivent pas."),
            Words(
                "A line is missing or one too many: compare with the portal for that day.",
                "Une ligne manque ou est de trop : comparez avec le portail pour ce jour.",
            ),
        ),
        Kind.UNREADABLE_ROW: (
            Words("A row of the statement cannot be read.", "Une ligne du relevé est illisible."),
            Words(
                "Correct the profile and import the file again, or book the row by hand.",
                "Corrigez le profil et réimportez, ou comptez la ligne à la main.",
            ),
        ),
    }
)
"""What each class says, and what to do about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that does not agree. `subject` names what it is about, always in the same way.

    `details` hold no number and no name of a person.
    """

    kind: Kind
    subject: str
    payment_id: str | None = None
    identity: str | None = None
    day: str | None = None
    amount: str | None = None
    currency: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What tells whether it is the same as it was when a person closed it."""
        said = sorted((name, str(value)) for name, value in self.details.items())
        return blake2b(repr((said, self.amount, self.currency)).encode(), digest_size=8).hexdigest()


def next_stand(stand: Stand, *, same_facts: bool) -> Stand:
    """Say where a discrepancy stands that is found again."""
    if stand is Stand.GONE or (stand is Stand.CLOSED and not same_facts):
        return Stand.OPEN
    return stand
