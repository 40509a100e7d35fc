"""What no program can check: the list of things to settle with MTN before going live."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """One thing to settle with MTN, in two languages."""

    name: str
    en: str
    fr: str

    def in_language(self, language: str) -> str:
        """Give the text in this language."""
        return self.fr if language == "fr" else self.en


QUESTIONS: tuple[Question, ...] = (
    Question(
        "approval",
        "Go-live is approved for this country, with its papers (KYC); each country is a contract,"
        " an account and keys of its own.",
        "La mise en production est approuvée pour ce pays, dossier (KYC) compris ; chaque pays a"
        " son contrat, son compte et ses clés.",
    ),
    Question(
        "products",
        "The products you need are enabled: collection; disbursement, which refunds need too;"
        " remittance.",
        "Les produits voulus sont activés : collection ; disbursement, nécessaire aussi aux"
        " remboursements ; remittance.",
    ),
    Question(
        "keys",
        "You have production subscription keys, two for each product; the sandbox's do not work.",
        "Vous avez les clés d'abonnement de production, deux par produit ; celles du bac à sable ne"
        " fonctionnent pas.",
    ),
    Question(
        "api user",
        "An operator user has made the API user and key in the partner portal; the key is shown"
        " once.",
        "Un utilisateur opérateur a créé l'API user et sa clé dans le portail partenaire ; la clé"
        " ne s'affiche qu'une fois.",
    ),
    Question(
        "callback host",
        "Your callback host is registered in the portal exactly as in the URL, and MTN lets its"
        " calls out to it.",
        "Votre hôte de callback est enregistré dans le portail exactement comme dans l'URL, et MTN"
        " autorise ses appels vers lui.",
    ),
    Question(
        "certificate",
        "MTN's side trusts your certificate's authority; a change of authority is told a month"
        " ahead.",
        "MTN fait confiance à l'autorité de votre certificat ; un changement d'autorité s'annonce"
        " un mois à l'avance.",
    ),
    Question(
        "addresses",
        "Your public outgoing addresses are listed for disbursement, the standby site's as well.",
        "Vos adresses publiques sortantes sont autorisées pour disbursement, celles du site de"
        " secours aussi.",
    ),
    Question(
        "limits",
        "You know the limits for one payment, a day and a wallet, and the fees: who bears them.",
        "Vous connaissez les plafonds par paiement, par jour et par portefeuille, et les frais :"
        " qui les supporte.",
    ),
    Question(
        "float",
        "The disbursement account is funded, and you know how it is filled up and how fast.",
        "Le compte de disbursement est approvisionné, et vous savez comment et en combien de temps"
        " il se recharge.",
    ),
    Question(
        "acceptance test",
        "MTN's acceptance test is passed: approved, declined, expired, twice the same reference id,"
        " wrong key, wrong token.",
        "La recette de MTN est passée : accepté, refusé, expiré, deux fois le même reference id,"
        " mauvaise clé, mauvais jeton.",
    ),
    Question(
        "statement",
        "You get the account's statement regularly, to hold your books against it.",
        "Vous recevez régulièrement le relevé du compte, pour rapprocher vos écritures.",
    ),
    Question(
        "contact",
        "You have a contact who answers out of hours, and are told of maintenance.",
        "Vous avez un contact joignable hors des heures ouvrées, et êtes prévenu des maintenances.",
    ),
)
