"""The words for codes that the payer cannot cause: requests, settings and MTN's gateway.

They are apart from `_reason_words` only for size; `momokit.reasons` joins the two.
"""

from __future__ import annotations

from momokit._reason_words import CHECKING, OUR_FAULT, TRY_LATER, Texts, Words

SETUP_WORDS: dict[str, Texts] = {
    "NOT_ALLOWED": Texts(
        Words(
            "The account has no right to this operation.",
            "Le compte n'a pas le droit de faire cette opération.",
        ),
        Words(
            "Have MTN enable the operation for your account and product; retrying changes nothing.",
            "Faites activer l'opération par MTN pour votre compte ; réessayer ne change rien.",
        ),
        OUR_FAULT,
    ),
    "NOT_ALLOWED_TARGET_ENVIRONMENT": Texts(
        Words(
            "The target environment is wrong for these credentials, or the API user is unknown"
            " to this product.",
            "L'environnement cible ne convient pas à ces identifiants, ou l'utilisateur d'API est"
            " inconnu de ce produit.",
        ),
        Words(
            "Set the market of the account (mtnuganda, …, or sandbox); use an API user per"
            " product.",
            "Indiquez le marché du compte (mtnuganda, …, ou sandbox) ; un utilisateur par produit.",
        ),
        OUR_FAULT,
    ),
    "INVALID_CALLBACK_URL_HOST": Texts(
        Words(
            "The callback URL's host is not the one registered for the API user.",
            "L'hôte de l'URL de rappel n'est pas celui enregistré pour l'utilisateur d'API.",
        ),
        Words(
            "Use exactly the registered host, or leave the callback out and poll.",
            "Utilisez exactement l'hôte enregistré, ou omettez le rappel et interrogez le statut.",
        ),
        OUR_FAULT,
    ),
    "INVALID_CURRENCY": Texts(
        Words(
            "The currency is not the account's (in MTN's sandbox: only EUR).",
            "La devise n'est pas celle du compte (dans la sandbox de MTN : EUR seulement).",
        ),
        Words(
            "Send the market's currency; take it from the market setting.",
            "Envoyez la devise du marché ; prenez-la du réglage du marché.",
        ),
        OUR_FAULT,
    ),
    "VALIDATION_ERROR": Texts(
        Words(
            "A field was refused: note too long or with a special character, decimals, a"
            " missing field.",
            "Un champ a été refusé : note trop longue ou caractère spécial, décimales,"
            " champ manquant.",
        ),
        Words(
            "Shorten and clean the notes, check amount and fields, and send a new request.",
            "Raccourcissez et nettoyez les notes, vérifiez montant et champs, puis recommencez.",
        ),
        OUR_FAULT,
    ),
    "TRANSFER_TYPE_UNKNOWN": Texts(
        Words("MTN does not know this transferType.", "MTN ne connaît pas ce transferType."),
        Words(
            "Use a type agreed with MTN (aggregators only), or leave the field out.",
            "Utilisez un type convenu avec MTN (agrégateurs seulement), ou omettez le champ.",
        ),
        OUR_FAULT,
    ),
    "NOT_SUCCESSFULLY_COMPLETED": Texts(
        Words(
            "The notification was refused because the payment is not successful (yet).",
            "La notification est refusée car le paiement n'est pas (encore) réussi.",
        ),
        Words(
            "Wait until the status is SUCCESSFUL, then send the notification.",
            "Attendez le statut SUCCESSFUL, puis envoyez la notification.",
        ),
        CHECKING,
    ),
    "PREAPPROVAL_EXIST_PENDING": Texts(
        Words(
            "The payer already has a pre-approval of yours waiting for an answer.",
            "Le payeur a déjà une préapprobation de votre part en attente de réponse.",
        ),
        Words(
            "Let the payer answer it, or wait for it to expire, before sending another.",
            "Laissez le payeur y répondre ou attendez son expiration avant d'en envoyer une autre.",
        ),
        Words(
            "An earlier request is waiting on your phone. Please answer it first.",
            "Une demande précédente attend sur votre téléphone. Merci d'y répondre d'abord.",
        ),
    ),
    "LOGIN_FAILED": Texts(
        Words(
            "API user or API key was not accepted (MTN also says this with a 500).",
            "L'utilisateur ou la clé d'API n'a pas été accepté (MTN le dit aussi par un 500).",
        ),
        Words(
            "Check user, key and product; a newly made key ends the old one.",
            "Vérifiez utilisateur, clé et produit ; une nouvelle clé met fin à l'ancienne.",
        ),
        OUR_FAULT,
    ),
    "INVALID_SUBSCRIPTION_KEY": Texts(
        Words(
            "MTN's gateway does not accept the subscription key for this product.",
            "La passerelle de MTN n'accepte pas la clé d'abonnement pour ce produit.",
        ),
        Words(
            "Use the key of this product (primary or secondary) and of this host, sandbox or real.",
            "Utilisez la clé de ce produit (primaire ou secondaire) et de cet hôte, test ou réel.",
        ),
        OUR_FAULT,
    ),
    "INVALID_TOKEN": Texts(
        Words(
            "The access token is missing, expired, or of another product.",
            "Le jeton d'accès manque, a expiré, ou appartient à un autre produit.",
        ),
        Words(
            "Fetch a new token once and repeat with the same reference id.",
            "Demandez une fois un nouveau jeton et répétez avec le même identifiant.",
        ),
        OUR_FAULT,
    ),
    "FORBIDDEN": Texts(
        Words(
            "MTN's gateway let the call not through: address not listed, or product not enabled.",
            "La passerelle de MTN a bloqué l'appel : adresse non déclarée ou produit non activé.",
        ),
        Words(
            "Tell your account manager the egress address and have the product enabled.",
            "Donnez à votre chargé de compte l'adresse de sortie et faites activer le produit.",
        ),
        OUR_FAULT,
    ),
    "FORBIDDEN_IP": Texts(
        Words(
            "The call came from an address that MTN has not put on its list.",
            "L'appel vient d'une adresse que MTN n'a pas mise sur sa liste.",
        ),
        Words(
            "Have MTN list your egress address, or send through one that is listed.",
            "Faites déclarer votre adresse de sortie chez MTN, ou passez par une adresse déclarée.",
        ),
        OUR_FAULT,
    ),
    "UNKNOWN_PATH": Texts(
        Words(
            "MTN's gateway has no such path: wrong host, product or version.",
            "La passerelle de MTN n'a pas ce chemin : mauvais hôte, produit ou version.",
        ),
        Words(
            "Check base_url; provisioning exists on the sandbox host only.",
            "Vérifiez base_url ; la création d'utilisateurs n'existe que sur l'hôte de test.",
        ),
        OUR_FAULT,
    ),
    "TOO_MANY_REQUESTS": Texts(
        Words("MTN held the call back: too many.", "MTN a retenu l'appel : trop de demandes."),
        Words(
            "Wait, then repeat with the same reference id; ask for statuses less often.",
            "Attendez, puis répétez avec le même identifiant ; demandez les statuts moins souvent.",
        ),
        TRY_LATER,
    ),
}
