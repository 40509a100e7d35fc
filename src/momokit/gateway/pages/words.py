"""What the payer's pages say, in English and French, and which of the two a page speaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from momokit._reason_words import Words
from momokit.gateway.core.checkout import shown_amount

LANGUAGES = ("en", "fr")

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}

WORDS: Mapping[str, Words] = {
    "pay_to": Words("Pay to", "Payer à"),
    "pay": Words("Pay {amount}", "Payer {amount}"),
    "pay_any": Words("Pay", "Payer"),
    "phone": Words("Your MTN MoMo number", "Votre numéro MTN MoMo"),
    "phone_hint": Words("For example {example}", "Par exemple {example}"),
    "amount": Words("Amount ({currency})", "Montant ({currency})"),
    "between": Words("From {least} to {most}", "De {least} à {most}"),
    "at_least": Words("At least {least}", "Au moins {least}"),
    "how": Words(
        "A request to pay appears on your phone. You approve it there with your PIN; never type"
        " your PIN on this page.",
        "Une demande de paiement s'affiche sur votre téléphone. Vous la validez là-bas avec votre"
        " code PIN ; ne le saisissez jamais sur cette page.",
    ),
    "until": Words("Can be paid until {time}", "Payable jusqu'au {time}"),
    "bad_phone": Words(
        "This is not a phone number of {country}. Write it like {example}.",
        "Ce n'est pas un numéro de téléphone : {country}. Écrivez-le ainsi : {example}.",
    ),
    "bad_amount": Words(
        "Please give an amount as digits, within the limits.",
        "Merci d'indiquer un montant en chiffres, dans les limites.",
    ),
    "problem": Words("Please look at this", "À corriger"),
    "approve": Words("Approve on your phone", "Validez sur votre téléphone"),
    "approve_1": Words("Look at the phone {number}", "Regardez le téléphone {number}"),
    "approve_2": Words("Check that it says {amount}", "Vérifiez qu'il affiche {amount}"),
    "approve_3": Words("Enter your MoMo PIN there", "Saisissez-y votre code PIN MoMo"),
    "no_prompt": Words(
        "Nothing on your screen? Open MoMo and look for payments that wait for your approval."
        " Leave this page open: it follows by itself.",
        "Rien à l'écran ? Ouvrez MoMo et cherchez les paiements en attente de validation."
        " Laissez cette page ouverte : elle se met à jour toute seule.",
    ),
    "checking": Words("We are checking", "Vérification en cours"),
    "checking_more": Words(
        "Your payment may have gone through. We are asking MTN, and this page will say how it"
        " ended. You cannot pay twice here.",
        "Votre paiement est peut-être passé. Nous interrogeons MTN, et cette page dira ce qu'il en"
        " est. Vous ne pouvez pas payer deux fois ici.",
    ),
    "elsewhere": Words("Being paid already", "Paiement déjà en cours"),
    "elsewhere_more": Words(
        "Another payment of this invoice is under way: it waits with MTN for the payer. This page"
        " opens again if it comes to nothing.",
        "Un autre paiement de cette facture est en cours : il attend le payeur chez MTN. Cette page"
        " se rouvrira s'il n'aboutit pas.",
    ),
    "failed": Words("The payment did not go through", "Le paiement n'a pas abouti"),
    "not_charged": Words(
        "This attempt took no money. You can try again.",
        "Cette tentative n'a rien débité. Vous pouvez réessayer.",
    ),
    "paid": Words("Paid", "Payé"),
    "thanks": Words(
        "Thank you. {merchant} has received {amount}.",
        "Merci. {merchant} a bien reçu {amount}.",
    ),
    "part": Words("Received {amount}, thank you.", "{amount} reçus, merci."),
    "receipt": Words("Receipt", "Reçu"),
    "print": Words("Print", "Imprimer"),
    "back_to_shop": Words("Back to {merchant}", "Retour à {merchant}"),
    "back_to_page": Words("Back to the page", "Retour à la page"),
    "expired": Words("This page has expired", "Cette page a expiré"),
    "expired_more": Words(
        "Nothing was paid here. Ask {merchant} for a new link.",
        "Rien n'a été payé ici. Demandez un nouveau lien à {merchant}.",
    ),
    "expired_invoice": Words(
        "It takes no more payments. Ask {merchant} if you still want to pay.",
        "Elle n'accepte plus de paiement. Adressez-vous à {merchant} pour payer.",
    ),
    "cancelled": Words("This page is closed", "Cette page est fermée"),
    "cancelled_more": Words(
        "{merchant} does not take this payment any more.",
        "{merchant} n'accepte plus ce paiement.",
    ),
    "busy": Words(
        "This cannot be paid right now. Nothing was taken; please try again in a few minutes.",
        "Ce paiement est impossible pour le moment. Rien n'a été débité ; réessayez dans quelques"
        " minutes.",
    ),
    "twin": Words(
        "This number has just paid, or is just paying, the same order on another page. Look there"
        " before you pay again.",
        "Ce numéro vient de payer, ou paie en ce moment, la même commande sur une autre page."
        " Vérifiez-la avant de payer à nouveau.",
    ),
    "too_often": Words("Too many tries", "Trop de tentatives"),
    "too_often_more": Words(
        "Please wait {minutes} min, then open the page again. Nothing was taken by this try.",
        "Attendez {minutes} min puis rouvrez la page. Cet essai n'a rien débité.",
    ),
    "lost": Words("There is no such page", "Cette page n'existe pas"),
    "lost_more": Words(
        "Check the link, or ask whoever sent it to you.",
        "Vérifiez le lien, ou demandez à la personne qui vous l'a envoyé.",
    ),
    "foreign": Words("This did not come from our page", "Cette demande ne vient pas de notre page"),
    "foreign_more": Words(
        "Nothing was taken. Open the link again and pay there.",
        "Rien n'a été débité. Rouvrez le lien et payez depuis la page.",
    ),
    "broken": Words("Something failed here", "Une erreur s'est produite"),
    "broken_more": Words(
        "Open the page again before anything else: it says whether a payment has begun.",
        "Rouvrez d'abord la page : elle indique si un paiement a commencé.",
    ),
    "invoice": Words("Invoice {number}", "Facture {number}"),
    "see_invoice": Words("See the invoice", "Voir la facture"),
    "bill_to": Words("Billed to", "Facturé à"),
    "due": Words("Due by {date}", "À payer au plus tard le {date}"),
    "total": Words("Total", "Total"),
    "already": Words("Already paid", "Déjà payé"),
    "left": Words("Still to pay", "Reste à payer"),
    "under_way": Words("Under way", "En cours"),
    "what": Words("What", "Désignation"),
    "quantity": Words("Quantity", "Quantité"),
    "each": Words("Each", "Prix unitaire"),
    "sum": Words("Amount", "Montant"),
    "paid_by": Words("Paid from", "Payé depuis"),
    "paid_on": Words("Paid on", "Payé le"),
    "for": Words("For", "Objet"),
    "reference": Words("Reference", "Référence"),
    "mtn_number": Words("MTN transaction", "Transaction MTN"),
    "payment_number": Words("Payment", "Paiement"),
    "issued": Words("Issued on", "Émise le"),
    "payments": Words("Payments received", "Paiements reçus"),
    "draft": Words("Draft", "Brouillon"),
    "sent": Words("Open", "À payer"),
    "partly_paid": Words("Partly paid", "Payée en partie"),
    "overdue": Words("Overdue", "En retard"),
    "expired_state": Words("Expired", "Expirée"),
    "cancelled_state": Words("Cancelled", "Annulée"),
    "paid_state": Words("Paid", "Payée"),
    "offline": Words(
        "No connection. The page follows again as soon as there is one.",
        "Pas de connexion. La page reprendra dès qu'il y en aura une.",
    ),
    "by": Words("Paid with MTN Mobile Money", "Paiement par MTN Mobile Money"),
    "other_language": Words("Français", "English"),
    "skip": Words("Skip to the payment", "Aller au paiement"),
}


class Speech:
    """Speaks one language to a template: `t("pay", amount=…)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.other = "fr" if self.language == "en" else "en"

    def __call__(self, name: str, **values: str) -> str:
        """Give a sentence. A name that there is not is a KeyError."""
        return WORDS[name].in_language(self.language).format(**values)

    def money(self, amount: Decimal, currency: str) -> str:
        """Write an amount as readers of this language do."""
        return shown_amount(amount, currency=currency, language=self.language)

    def date(self, seconds: float) -> str:
        """Write a day."""
        day = datetime.fromtimestamp(seconds, UTC)
        months = _MONTHS[self.language].split()
        first = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{first} {months[day.month - 1]} {day.year}"

    def time(self, seconds: float) -> str:
        """Write a day and an hour, in UTC and saying so."""
        moment = datetime.fromtimestamp(seconds, UTC)
        return f"{self.date(seconds)}, {moment:%H:%M} UTC"


def choose_language(*, asked: str, fixed: str | None, accepted: str, usual: str) -> str:
    """Choose a page's language: the payer's click, the merchant's word, the browser's, the
    market's."""
    if asked in LANGUAGES:
        return asked
    if fixed in LANGUAGES:
        return str(fixed)
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        primary = tag.strip().lower().split("-")[0]
        if primary in LANGUAGES and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return primary
    return usual if usual in LANGUAGES else "en"
