"""The words for how a payment, a row or a batch stands: what finance staff and payees read."""

from __future__ import annotations

from collections.abc import Mapping

from momokit._reason_words import Words

STATES: Mapping[str, Words] = {
    # A payment's, and so a row's.
    "created": Words("waiting to be sent", "en attente d'envoi"),
    "pending": Words("under way", "en cours"),
    "unknown": Words("being cleared up", "en cours de vérification"),
    "successful": Words("paid", "payé"),
    "failed": Words("not paid", "non payé"),
    # A row's that has made no payment.
    "ready": Words("ready", "prêt"),
    "unverified": Words("not checked", "non vérifié"),
    "excluded": Words("taken out", "retiré"),
    "invalid": Words("to correct", "à corriger"),
    "cancelled": Words("cancelled, not paid", "annulé, non payé"),
    # A batch's.
    "draft": Words("being checked", "en contrôle"),
    "checked": Words("checked", "contrôlé"),
    "submitted": Words("waiting for approval", "en attente d'approbation"),
    "approved": Words("approved", "approuvé"),
    "rejected": Words("rejected", "refusé"),
    "preparing": Words("being prepared", "en préparation"),
    "running": Words("running", "en cours d'exécution"),
    "paused": Words("paused", "en pause"),
    "finished": Words("finished", "terminé"),
}


def say_state(state: str, *, language: str = "en") -> str:
    """For people: a state in their language; a word that is not known is given as it is."""
    words = STATES.get(state)
    return words.in_language(language) if words is not None else state
