"""The words of the reason catalogue: what happened, what to do, what to tell the payer.

Each code has three texts, each in English and French: `what` and `remedy` are for the people who
run the system; `payer` may be shown to the person who pays or is paid. None of them says that no
money moved where that is not known.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """For one text in the two languages of the catalogue."""

    en: str
    fr: str

    def in_language(self, language: str) -> str:
        """For a user's language tag: French for "fr" and "fr-CM", otherwise English."""
        return self.fr if language.lower().startswith("fr") else self.en


class Texts(NamedTuple):
    """For the three texts of one code."""

    what: Words
    remedy: Words
    payer: Words


OUR_FAULT = Words(
    "The payment could not be made because of a fault on our side. Please tell us.",
    "Le paiement n'a pas pu être effectué à cause d'un problème de notre côté. Merci de"
    " nous prévenir.",
)
CHECKING = Words(
    "We are checking what became of this payment. Please do not pay a second time yet.",
    "Nous vérifions où en est ce paiement. Merci de ne pas payer une deuxième fois pour l'instant.",
)
TRY_LATER = Words(
    "Mobile Money is busy right now. Please try again in a few minutes.",
    "Mobile Money est très sollicité en ce moment. Merci de réessayer dans quelques minutes.",
)
_OPEN = Words(
    "The payment is waiting for an answer on the phone.",
    "Le paiement attend une réponse sur le téléphone.",
)
_ASK_PROVIDER = Words(
    "The account could not be used for this payment. Please contact MTN Mobile Money.",
    "Ce compte n'a pas pu être utilisé pour ce paiement. Merci de contacter MTN Mobile Money.",
)
_RECEIVER = Words(
    "The recipient's account cannot receive this payment. Please check with the recipient.",
    "Le compte du bénéficiaire ne peut pas recevoir ce paiement. Merci de vérifier avec lui.",
)

WORDS: dict[str, Texts] = {
    "PAYER_NOT_FOUND": Texts(
        Words(
            "MTN has no active Mobile Money account for the payer's number.",
            "MTN n'a pas de compte Mobile Money actif pour le numéro du payeur.",
        ),
        Words(
            "Check the number and its country code, and that it is an MTN wallet; then try anew.",
            "Vérifiez le numéro, son indicatif et qu'il s'agit d'un compte MTN, puis recommencez.",
        ),
        Words(
            "This number has no active MTN Mobile Money account. Please check the number.",
            "Ce numéro n'a pas de compte MTN Mobile Money actif. Merci de le vérifier.",
        ),
    ),
    "PAYEE_NOT_FOUND": Texts(
        Words(
            "MTN has no active Mobile Money account for the payee.",
            "MTN n'a pas de compte Mobile Money actif pour le bénéficiaire.",
        ),
        Words(
            "Check the payee's number and country code with the payee; then pay anew.",
            "Vérifiez avec le bénéficiaire son numéro et l'indicatif, puis refaites le paiement.",
        ),
        Words(
            "The recipient's number has no active MTN Mobile Money account. Please check it.",
            "Le numéro du bénéficiaire n'a pas de compte MTN Mobile Money actif. Merci de"
            " le vérifier.",
        ),
    ),
    "NOT_ENOUGH_FUNDS": Texts(
        Words(
            "The paying account's balance does not cover the amount and the fee.",
            "Le solde du compte payeur ne couvre pas le montant et les frais.",
        ),
        Words(
            "For a collection the payer tops up; for a payout you fund your own account."
            " Then anew.",
            "Pour un encaissement, le payeur recharge ; pour un versement, approvisionnez"
            " votre compte.",
        ),
        Words(
            "There is not enough money on the account. Please top up and try again.",
            "Le solde du compte est insuffisant. Merci de recharger et de réessayer.",
        ),
    ),
    "LOW_BALANCE_OR_PAYEE_LIMIT_REACHED_OR_NOT_ALLOWED": Texts(
        Words(
            "One of three, and MTN does not say which: low balance, the payee's limit, or"
            " no right.",
            "L'un des trois, sans que MTN précise : solde bas, plafond du bénéficiaire, ou"
            " droit absent.",
        ),
        Words(
            "Check the balance first, then the payee's limit, then your account's rights with MTN.",
            "Vérifiez le solde, puis le plafond du bénéficiaire, puis les droits du compte"
            " avec MTN.",
        ),
        Words(
            "The payment was not accepted. Please check your balance and your limits.",
            "Le paiement n'a pas été accepté. Merci de vérifier votre solde et vos plafonds.",
        ),
    ),
    "PAYER_LIMIT_REACHED": Texts(
        Words(
            "The payment would exceed a limit of the payer's account (per payment, day or month).",
            "Le paiement dépasserait un plafond du compte payeur (par opération, jour ou mois).",
        ),
        Words(
            "The payer waits for the next period, pays less, or has MTN raise the limit.",
            "Le payeur attend la période suivante, paie moins, ou fait relever son plafond"
            " par MTN.",
        ),
        Words(
            "Your Mobile Money limit is reached. Try a smaller amount, or again later.",
            "Le plafond de votre compte est atteint. Essayez un montant plus petit, ou plus tard.",
        ),
    ),
    "PAYEE_LIMIT_REACHED": Texts(
        Words(
            "The payment would exceed a limit of the payee's account.",
            "Le paiement dépasserait un plafond du compte du bénéficiaire.",
        ),
        Words(
            "The payee makes room or has MTN raise the limit; then pay anew.",
            "Le bénéficiaire libère de la place ou fait relever son plafond ; puis recommencez.",
        ),
        _RECEIVER,
    ),
    "PAYEE_NOT_ALLOWED_TO_RECEIVE": Texts(
        Words(
            "The payee's account may not receive this payment (type of account, or blocked).",
            "Le compte du bénéficiaire ne peut pas recevoir ce paiement (type de compte ou"
            " blocage).",
        ),
        Words(
            "The payee asks MTN why; or pay to another account. Check your own, if you are"
            " the payee.",
            "Le bénéficiaire se renseigne chez MTN, ou payez un autre compte (ou vérifiez"
            " le vôtre).",
        ),
        _RECEIVER,
    ),
    "PAYMENT_NOT_APPROVED": Texts(
        Words("The payer did not approve the payment.", "Le payeur n'a pas approuvé le paiement."),
        Words(
            "Ask the payer, and send a new request only when they want it.",
            "Demandez au payeur, et n'envoyez une nouvelle demande que s'il la souhaite.",
        ),
        Words(
            "The payment was not approved. Start again if you still want to pay.",
            "Le paiement n'a pas été approuvé. Recommencez si vous souhaitez toujours payer.",
        ),
    ),
    "APPROVAL_REJECTED": Texts(
        Words("The payer declined the payment on the phone.", "Le payeur a refusé le paiement."),
        Words(
            "Nothing to repair: send a new request only when the payer wants it.",
            "Rien à réparer : n'envoyez une nouvelle demande que si le payeur la souhaite.",
        ),
        Words(
            "You declined the payment. Start again if you still want to pay.",
            "Vous avez refusé le paiement. Recommencez si vous souhaitez toujours payer.",
        ),
    ),
    "EXPIRED": Texts(
        Words(
            "The payer did not answer within the approval window (five minutes).",
            "Le payeur n'a pas répondu dans le délai d'approbation (cinq minutes).",
        ),
        Words(
            "Make sure the payer has the phone at hand and coverage; then send a new request.",
            "Assurez-vous que le payeur a son téléphone et du réseau, puis refaites une demande.",
        ),
        Words(
            "The request was not answered in time. Please start again, with your phone at hand.",
            "La demande n'a pas reçu de réponse à temps. Recommencez, votre téléphone à"
            " portée de main.",
        ),
    ),
    "TRANSACTION_CANCELED": Texts(
        Words(
            "The payment was cancelled before it ended.", "Le paiement a été annulé avant sa fin."
        ),
        Words(
            "Find out who cancelled it; send a new one if it is still wanted.",
            "Cherchez qui l'a annulé ; refaites-en un s'il est toujours souhaité.",
        ),
        Words("The payment was cancelled.", "Le paiement a été annulé."),
    ),
    "COULD_NOT_PERFORM_TRANSACTION": Texts(
        Words(
            "MTN gave the payment up, most often because nobody approved it within five minutes.",
            "MTN a abandonné le paiement, le plus souvent faute d'approbation en cinq minutes.",
        ),
        Words(
            "Once the status says FAILED, send a new request with the payer ready.",
            "Quand le statut est FAILED, refaites une demande, le payeur étant prêt.",
        ),
        Words(
            "The payment did not go through. Please start again, with your phone at hand.",
            "Le paiement n'a pas abouti. Recommencez, votre téléphone à portée de main.",
        ),
    ),
    "PAYER_FAILED": Texts(
        Words("MTN could not charge the payer.", "MTN n'a pas pu débiter le payeur."),
        Words(
            "The payer checks account, PIN and balance; then send a new request.",
            "Le payeur vérifie compte, code PIN et solde ; puis refaites une demande.",
        ),
        _ASK_PROVIDER,
    ),
    "SENDER_ACCOUNT_NOT_ACTIVE": Texts(
        Words("The paying account is not active.", "Le compte payeur n'est pas actif."),
        Words(
            "Its holder has MTN activate it (often: finish the registration); then try anew.",
            "Son titulaire le fait activer par MTN (souvent : finir l'enregistrement),"
            " puis recommencez.",
        ),
        _ASK_PROVIDER,
    ),
    "ONGOING": Texts(
        Words("The payment is still open at MTN.", "Le paiement est encore en cours chez MTN."),
        Words(
            "Keep asking for its status; do not send another.",
            "Continuez à demander son statut ; n'en envoyez pas d'autre.",
        ),
        _OPEN,
    ),
    "PAYER_DELAYED": Texts(
        Words("The payer's side has not answered yet.", "Le côté payeur n'a pas encore répondu."),
        Words(
            "Keep asking for the status; do not send another payment until it is final.",
            "Continuez à demander le statut ; pas d'autre paiement avant qu'il soit définitif.",
        ),
        _OPEN,
    ),
    "PAYEE_DELAYED": Texts(
        Words("The payee's side has not answered yet.", "Le côté bénéficiaire n'a pas répondu."),
        Words(
            "Keep asking for the status; do not send another payment until it is final.",
            "Continuez à demander le statut ; pas d'autre paiement avant qu'il soit définitif.",
        ),
        CHECKING,
    ),
    "INTERNAL_PROCESSING_ERROR": Texts(
        Words(
            "MTN's wallet reports an unspecified fault; in practice often a lack of funds.",
            "Le système de MTN signale une erreur non précisée ; souvent un solde insuffisant.",
        ),
        Words(
            "As a FAILED payment's reason: check the funds, then anew. As an answer to a"
            " call: unknown,"
            " so ask for the status first.",
            "Comme motif d'un paiement FAILED : vérifiez le solde puis recommencez. En réponse à un"
            " appel : issue inconnue, demandez d'abord le statut.",
        ),
        CHECKING,
    ),
    "SERVICE_UNAVAILABLE": Texts(
        Words("MTN's service is down for a while.", "Le service de MTN est momentanément arrêté."),
        Words(
            "Ask for the status first, then repeat later with the same reference id.",
            "Demandez d'abord le statut, puis répétez plus tard avec le même identifiant.",
        ),
        CHECKING,
    ),
    "RESOURCE_NOT_FOUND": Texts(
        Words(
            "MTN knows no payment with this reference id, or does not show it yet.",
            "MTN ne connaît pas cet identifiant de référence, ou ne le montre pas encore.",
        ),
        Words(
            "Just after sending it means 'not yet': ask again. Otherwise check product and id.",
            "Juste après l'envoi, c'est « pas encore » : redemandez. Sinon vérifiez produit et id.",
        ),
        CHECKING,
    ),
    "TRANSACTION_NOT_FOUND": Texts(
        Words(
            "MTN does not find the payment that is meant (to refund, for example).",
            "MTN ne trouve pas le paiement visé (à rembourser, par exemple).",
        ),
        Words(
            "Check the reference id, the product and the environment; ask again after a minute.",
            "Vérifiez l'identifiant, le produit et l'environnement ; redemandez après une minute.",
        ),
        CHECKING,
    ),
    "RESOURCE_ALREADY_EXIST": Texts(
        Words(
            "A request with this reference id was accepted before.",
            "Une demande avec cet identifiant de référence a déjà été acceptée.",
        ),
        Words(
            "Ask for its status. A new reference id here could pay twice.",
            "Demandez son statut. Un nouvel identifiant pourrait faire payer deux fois.",
        ),
        CHECKING,
    ),
}
