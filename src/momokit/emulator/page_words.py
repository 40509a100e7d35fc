"""Every text on the emulator's pages, in English and in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
_LONGEST_HEADER = 200

# One key, English, French. A key ending in .one and .other is chosen by number.
WORDS: Mapping[str, tuple[str, str]] = {
    # Everywhere
    "emulator": ("MoMo emulator", "Émulateur MoMo"),
    "overview": ("Overview", "Vue d’ensemble"),
    "phone": ("Payer’s phone", "Téléphone du payeur"),
    "phone_short": ("Phone", "Téléphone"),
    "other_language": ("Français", "English"),
    "skip": ("Skip to the content", "Aller au contenu"),
    "offline": ("The emulator does not answer.", "L’émulateur ne répond pas."),
    "none": ("none", "aucun"),
    "play": (
        "A local copy of the service: nothing here is real money.",
        "Une copie locale du service : rien ici n’est de l’argent réel.",
    ),
    # Kinds
    "kind.requesttopay": ("Request to pay", "Demande de paiement"),
    "kind.requesttowithdraw": ("Withdraw", "Retrait"),
    "kind.transfer": ("Transfer", "Transfert"),
    "kind.deposit": ("Deposit", "Dépôt"),
    "kind.refund": ("Refund", "Remboursement"),
    "kind.cashtransfer": ("Cash transfer", "Transfert d’espèces"),
    "kind.invoice": ("Invoice", "Facture"),
    "kind.preapproval": ("Pre-approval", "Préautorisation"),
    "kind.payment": ("Payment", "Paiement"),
    # Front page
    "filter.all": ("All", "Tous"),
    "filter.waiting": ("Waiting for the payer", "En attente du payeur"),
    "filter.PENDING": ("Pending", "En cours"),
    "filter.SUCCESSFUL": ("Successful", "Réussis"),
    "filter.FAILED": ("Failed", "Échoués"),
    "payments": ("Payments", "Paiements"),
    "no_payments": ("No payment yet.", "Aucun paiement pour l’instant."),
    "none_like_this": ("No payment like this.", "Aucun paiement de ce genre."),
    "newer": ("Newer", "Plus récents"),
    "older": ("Older", "Plus anciens"),
    "time": ("Time", "Heure"),
    "kind": ("Kind", "Genre"),
    "party": ("Party", "Partie"),
    "amount": ("Amount", "Montant"),
    "status": ("Status", "Statut"),
    "callback": ("Callback", "Callback"),
    "reference_id": ("Reference", "Référence"),
    "waiting_short": ("waits for the payer", "attend le payeur"),
    "ignored_short": ("ignored by the payer", "ignoré par le payeur"),
    "callback.none": ("none asked", "non demandé"),
    "callback.later": ("when settled", "au dénouement"),
    "callback.due": ("due", "à envoyer"),
    "callback.retrying": ("{what}, will retry", "{what}, nouvel essai prévu"),
    "callback.delivered": ("delivered, {what}", "remis, {what}"),
    "callback.failed": ("failed, {what}", "échoué, {what}"),
    "callback.not_sent": ("not sent", "non envoyé"),
    "callback.tries": ("{what} ({n} attempts)", "{what} ({n} essais)"),
    "wallet": ("Merchant’s wallet", "Portefeuille du marchand"),
    "moved": ("{amount} since the start", "{amount} depuis le début"),
    "movements.one": ("money moved once", "un mouvement d’argent"),
    "movements.other": ("money moved {n} times", "{n} mouvements d’argent"),
    "faults": ("Faults in force", "Pannes en vigueur"),
    "no_faults": (
        "None: everything works as it should.",
        "Aucune : tout marche comme prévu.",
    ),
    "fault_every": ("every time", "à chaque fois"),
    "fault_times": ("{n} of {of} used", "{n} sur {of} utilisées"),
    "fault_rate": ("{n} % of requests", "{n} % des requêtes"),
    "fault_script.one": ("one step left", "une étape restante"),
    "fault_script.other": ("{n} steps left", "{n} étapes restantes"),
    "fault_met.one": ("met once", "subie une fois"),
    "fault_met.other": ("met {n} times", "subie {n} fois"),
    "who_approves": ("Who approves", "Qui approuve"),
    "approval.scenario": (
        "Scenarios decide: ordinary numbers approve at once, test numbers do what they stand for.",
        "Les scénarios décident : les numéros ordinaires approuvent aussitôt, les numéros de test "
        "font ce qu’ils représentent.",
    ),
    "approval.phone": (
        "You decide: requests wait on the payer’s phone.",
        "Vous décidez : les demandes attendent sur le téléphone du payeur.",
    ),
    "to_phone": ("Let me decide on the phone", "Me laisser décider au téléphone"),
    "to_scenario": ("Let scenarios decide", "Laisser les scénarios décider"),
    "use": ("How to use me", "Comment m’utiliser"),
    "use_address": ("This is the provider’s address:", "Voici l’adresse du service :"),
    "use_credentials": (
        "Get an API user, its key and a subscription key, ready to use:",
        "Obtenir un utilisateur d’API, sa clé et une clé d’abonnement, prêts à l’emploi :",
    ),
    "use_control": (
        "Faults, the clock, scenarios and the history are under {path}.",
        "Les pannes, l’horloge, les scénarios et l’historique sont sous {path}.",
    ),
    "requests": ("Latest requests and callbacks", "Dernières requêtes et callbacks"),
    "no_requests": ("Nobody has asked for anything yet.", "Personne n’a encore rien demandé."),
    "settings": ("Settings in force", "Réglages en vigueur"),
    "settings_default": ("All settings have their defaults.", "Tous les réglages sont d’origine."),
    "all_settings": ("All settings", "Tous les réglages"),
    "market": ("Market", "Marché"),
    "clock": ("Clock", "Horloge"),
    "clock.now": ("as the machine’s", "celle de la machine"),
    "clock.frozen": ("frozen at {at}", "arrêtée à {at}"),
    "clock.off": ("{seconds} s off the machine’s", "décalée de {seconds} s"),
    "crashes": (
        "The emulator itself failed {n} times: please report it.",
        "L’émulateur lui-même a échoué {n} fois : merci de le signaler.",
    ),
    # A payment's page
    "timeline": ("What happened", "Ce qui s’est passé"),
    "details": ("Details", "Détails"),
    "external_id": ("External id", "Identifiant externe"),
    "financial_id": ("Financial transaction id", "Numéro de transaction financière"),
    "api_user": ("API user", "Utilisateur d’API"),
    "product": ("Product", "Produit"),
    "message": ("Message to the payer", "Message au payeur"),
    "note": ("Note to the payee", "Note au bénéficiaire"),
    "scenario": ("Scenario", "Scénario"),
    "callback_url": ("Callback address", "Adresse de callback"),
    "created": ("Created", "Créé"),
    "settled": ("Settled", "Dénoué"),
    "expires": ("Expires", "Expire"),
    "polls": ("Status asked", "Statut demandé"),
    "times.one": ("once", "une fois"),
    "times.other": ("{n} times", "{n} fois"),
    "money": ("Money moved", "Argent déplacé"),
    "money_none": ("nothing moved", "rien n’a bougé"),
    "event.accepted": ("The provider took it in", "Le service l’a pris en charge"),
    "event.settled": ("Settled: {status}", "Dénoué : {status}"),
    "event.money": ("{amount} moved", "{amount} déplacés"),
    "event.request": ("Request", "Requête"),
    "event.callback": ("Callback", "Callback"),
    "headers": ("Headers", "En-têtes"),
    "body": ("Body", "Corps"),
    "answer": ("Answer", "Réponse"),
    "no_answer": ("no answer", "sans réponse"),
    "decide_now": ("Decide on the phone", "Décider au téléphone"),
    # The phone
    "choose_number": ("Whose phone is this?", "À qui est ce téléphone ?"),
    "number": ("Phone number", "Numéro de téléphone"),
    "number_hint": (
        "As the merchant sent it; spaces and + do not matter.",
        "Tel que le marchand l’a envoyé ; espaces et + sont sans importance.",
    ),
    "open": ("Open", "Ouvrir"),
    "phones_waiting": ("Phones with a request", "Téléphones avec une demande"),
    "no_phone_waits": ("No request waits on any phone.", "Aucune demande n’attend."),
    "phones_recent": ("Seen lately", "Vus récemment"),
    "change_number": ("Another phone", "Un autre téléphone"),
    "waiting.none": ("No request is waiting", "Aucune demande en attente"),
    "waiting.one": ("1 request is waiting", "1 demande en attente"),
    "waiting.other": ("{n} requests are waiting", "{n} demandes en attente"),
    "quiet": (
        "This page shows new requests by itself.",
        "Cette page montre d’elle-même les nouvelles demandes.",
    ),
    "scenario_hint": (
        "Requests do not wait here now, because scenarios decide.",
        "Les demandes n’attendent pas ici, car les scénarios décident.",
    ),
    "merchant": ("Merchant {name}", "Marchand {name}"),
    "ask.requesttopay": ("asks you to pay", "vous demande de payer"),
    "ask.requesttowithdraw": ("asks to take cash out for you", "demande un retrait pour vous"),
    "ask.invoice": ("sends you a bill of", "vous envoie une facture de"),
    "ask.preapproval": (
        "asks to take payments without asking each time",
        "demande à prélever sans redemander à chaque fois",
    ),
    "left": ("Time left", "Temps restant"),
    "pin": ("PIN (optional, any 4 or 5 digits)", "PIN (facultatif, 4 ou 5 chiffres)"),
    "pin_wrong": (
        "A PIN has 4 or 5 digits. Nothing was approved.",
        "Un PIN a 4 ou 5 chiffres. Rien n’a été approuvé.",
    ),
    "approve": ("Approve", "Approuver"),
    "decline": ("Decline", "Refuser"),
    "ignore": ("Ignore", "Ignorer"),
    "ignored": ("Left unanswered", "Laissées sans réponse"),
    "messages": ("Messages", "Messages"),
    "done.SUCCESSFUL": ("Approved", "Approuvé"),
    "done.APPROVAL_REJECTED": ("Declined", "Refusé"),
    "done.EXPIRED": ("The time ran out", "Le délai est dépassé"),
    "done.FAILED": ("It failed: {reason}", "Échec : {reason}"),
    "done.ignored": (
        "Ignored. It expires by itself unless you decide after all.",
        "Ignoré. La demande expirera d’elle-même, sauf si vous décidez quand même.",
    ),
    "done.open": ("Still waiting for you", "Toujours en attente"),
    "done.late": (
        "This request was already over; your choice changed nothing.",
        "Cette demande était déjà terminée ; votre choix n’a rien changé.",
    ),
    "done.unknown": (
        "This request is not there any more.",
        "Cette demande n’existe plus.",
    ),
    "sms.requesttopay": ("You paid {amount}.", "Vous avez payé {amount}."),
    "sms.requesttowithdraw": ("You took out {amount}.", "Vous avez retiré {amount}."),
    "sms.invoice": ("You paid a bill of {amount}.", "Vous avez payé une facture de {amount}."),
    "sms.preapproval": (
        "You allowed payments without asking.",
        "Vous avez autorisé les prélèvements.",
    ),
    "sms.received": ("You received {amount}.", "Vous avez reçu {amount}."),
    "sms.declined": ("You declined: {what}.", "Vous avez refusé : {what}."),
    "sms.expired": ("Time ran out: {what}.", "Délai dépassé : {what}."),
    "sms.failed": (
        "Not done: {what} ({reason}).",
        "Non effectué : {what} ({reason}).",
    ),
    # Not found and refused
    "lost": ("There is nothing here", "Il n’y a rien ici"),
    "lost_more": (
        "This address leads to no page of the emulator. Perhaps it was reset meanwhile.",
        "Cette adresse ne mène à aucune page de l’émulateur, peut-être réinitialisé entre-temps.",
    ),
    "foreign": ("Refused", "Refusé"),
    "foreign_more": (
        "This was sent from another site’s page. Decide on the emulator’s own pages.",
        "Ceci vient de la page d’un autre site. Décidez sur les pages de l’émulateur.",
    ),
}


class Words:
    """The texts in one language: `words("moved", amount="5 EUR")`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    @property
    def other(self) -> Language:
        """The language that the switch leads to."""
        return LANGUAGES[1 - self._column]

    def __call__(self, key: str, **values: object) -> str:
        return WORDS[key][self._column].format(**values)

    def count(self, key: str, n: int) -> str:
        """Choose between one and several, as each language counts."""
        one = n == 1 or (n == 0 and self.language == "fr")
        return self(f"{key}.{'one' if one else 'other'}", n=n)


def choose_language(*, asked: str, kept: str, accepted: str) -> Language:
    """Choose by the address, else by the cookie, else by what the browser prefers."""
    for choice in (asked, kept):
        if choice in LANGUAGES:
            return "fr" if choice == "fr" else "en"
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:_LONGEST_HEADER].split(",")):
        name, _, parameter = part.partition(";")
        digits = parameter.strip().removeprefix("q=")
        try:
            weight = float(digits) if digits else 1.0
        except ValueError:
            continue
        weighed.append((-weight, place, name.strip().lower()[:2]))
    for weight, _, name in sorted(weighed):
        if weight and name in LANGUAGES:
            return "fr" if name == "fr" else "en"
    return "en"
