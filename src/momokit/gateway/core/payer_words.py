"""What a payer is told about a payment, in English and French: sentences to show as they are."""

from __future__ import annotations

from collections.abc import Mapping

from momokit._reason_words import Words
from momokit.gateway.core.payment import State
from momokit.reasons import reason_of

OWN_REASONS: Mapping[str, tuple[Words, Words]] = {
    "CANCELLED": (
        Words(
            "The merchant took it back before it left.",
            "Le marchand l'a annulé avant son envoi.",
        ),
        Words("Make a new payment when one is wanted.", "Créez un nouveau paiement si besoin."),
    ),
    "NOT_SENT_IN_TIME": (
        Words(
            "MTN could not be reached in the time in which it still made sense; nothing was sent.",
            "MTN est resté injoignable tant que l'envoi avait un sens ; rien n'a été envoyé.",
        ),
        Words("A new payment is safe.", "Un nouveau paiement est sans risque."),
    ),
    "NEVER_RECEIVED": (
        Words(
            "MTN never had it: asked many times, it knows nothing of it.",
            "MTN ne l'a jamais reçu : interrogé plusieurs fois, il ne le connaît pas.",
        ),
        Words("A new payment is safe.", "Un nouveau paiement est sans risque."),
    ),
    "SETTLED_BY_PERSON": (
        Words(
            "A person looked into it and put on record that no money moved.",
            "Une personne l'a vérifié et a consigné qu'aucun argent n'a été transféré.",
        ),
        Words(
            "Ask the merchant before paying again.",
            "Demandez au marchand avant de payer à nouveau.",
        ),
    ),
}
"""Reasons that are the gateway's own: what happened, and the remedy."""

STATE_WORDS: Mapping[State, Words] = {
    State.CREATED: Words(
        "Your payment is being sent to your phone.",
        "Votre paiement est en cours d'envoi vers votre téléphone.",
    ),
    State.PENDING: Words(
        "Please confirm the payment on your phone with your MoMo PIN.",
        "Confirmez le paiement sur votre téléphone avec votre code PIN MoMo.",
    ),
    State.UNKNOWN: Words(
        "We are checking your payment with MTN. Please do not pay again.",
        "Nous vérifions votre paiement auprès de MTN. Ne payez pas une seconde fois.",
    ),
    State.SUCCESSFUL: Words("Thank you, your payment was received.", "Merci, paiement reçu."),
}


def words_for_payer(code: str | None) -> Words:
    """Say in words for the payer why a payment did not go through."""
    own = OWN_REASONS.get(code or "")
    return own[0] if own is not None else reason_of(code or "").payer_message
