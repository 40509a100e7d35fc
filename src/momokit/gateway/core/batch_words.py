"""The words of the findings in a file of payments: what was found, and what to do about it.

They are read by finance staff. A text in braces is filled in from the finding's facts.
"""

from __future__ import annotations

from collections.abc import Mapping

from momokit._reason_words import Words

_PHONES: Mapping[str, Words] = {
    "phone_missing": Words(
        "There is no phone number. Fill it in, or take the row out.",
        "Le numéro de téléphone manque. Indiquez-le ou retirez la ligne.",
    ),
    "phone_shortened": Words(
        "The spreadsheet has shortened this number and digits are lost. Format the column as text"
        " and enter the whole number again.",
        "Le tableur a abrégé ce numéro et des chiffres sont perdus. Mettez la colonne au format"
        " texte et saisissez de nouveau le numéro entier.",
    ),
    "phone_round": Words(
        "This number ends in six zeros, as one does that a spreadsheet has shortened. Compare it"
        " with your records.",
        "Ce numéro se termine par six zéros, comme un numéro abrégé par un tableur. Comparez-le"
        " avec vos dossiers.",
    ),
    "phone_not_a_number": Words(
        "This cell holds a {what}, not a phone number. Enter the number as text.",
        "Cette cellule contient {what_fr}, pas un numéro de téléphone. Saisissez le numéro comme"
        " texte.",
    ),
    "phone_characters": Words(
        "The phone number has characters that are neither digits nor separators. Write one number"
        " in the cell, digits alone.",
        "Le numéro contient des caractères qui ne sont ni des chiffres ni des séparateurs."
        " N'écrivez qu'un numéro, en chiffres.",
    ),
    "phone_other_country": Words(
        "This is a number of {country}; the batch pays in {market}. Correct it, or pay it from an"
        " account of that country.",
        "C'est un numéro de ce pays : {country} ; le lot paie dans celui-ci : {market}."
        " Corrigez-le, ou payez-le depuis un compte de ce pays.",
    ),
    "phone_old": Words(
        "This number has the 8 digits of the old numbering of {market}; today there are {digits}."
        " Ask the payee for the new one.",
        "Ce numéro a les 8 chiffres de l'ancienne numérotation ({market}) ; il en faut {digits}"
        " aujourd'hui. Demandez le nouveau au bénéficiaire.",
    ),
    "phone_two_readings": Words(
        "This number can be read in two ways. Write it with its plus and country code.",
        "Ce numéro peut se lire de deux façons. Écrivez-le avec le plus et l'indicatif du pays.",
    ),
    "phone_invalid": Words(
        "This is no number of {market}: {digits} digits are expected after +{code}, for example"
        " {example}.",
        "Ce n'est pas un numéro de ce pays ({market}) : il faut {digits} chiffres après +{code},"
        " par exemple {example}.",
    ),
    "phone_invalid_sandbox": Words(
        "A number of the test environment has 6 to 15 digits and begins with a country code, for"
        " example 46733123450.",
        "Un numéro de l'environnement de test a 6 à 15 chiffres et commence par un indicatif, par"
        " exemple 46733123450.",
    ),
    "zero_restored": Words(
        "The first zero was missing, as spreadsheets drop it, and was put back: the number ends in"
        " {ends}. Check it.",
        "Le premier zéro manquait, comme les tableurs le suppriment ; il a été remis : le numéro se"
        " termine par {ends}. Vérifiez-le.",
    ),
    "powers_restored": Words(
        "The number was written as powers of ten with all its digits, and was read in full. Check"
        " it: it ends in {ends}.",
        "Le numéro était écrit en puissances de dix avec tous ses chiffres et a été lu en entier."
        " Vérifiez-le : il se termine par {ends}.",
    ),
    "other_network": Words(
        "This looks like another network's number. If it was not moved to MTN, the payment will be"
        " refused.",
        "Ce numéro semble être d'un autre réseau. S'il n'a pas été porté chez MTN, le paiement sera"
        " refusé.",
    ),
}

_AMOUNTS: Mapping[str, Words] = {
    "amount_missing": Words(
        "There is no amount. Fill it in, or take the row out.",
        "Le montant manque. Indiquez-le ou retirez la ligne.",
    ),
    "amount_formula": Words(
        "The amount is a formula, and its result may be out of date. Copy the column and paste it"
        " as values.",
        "Le montant est une formule, dont le résultat peut être périmé. Copiez la colonne et"
        " collez-la en valeurs.",
    ),
    "amount_not_a_number": Words(
        "The amount cannot be read. Write plain digits, for example {example}.",
        "Le montant est illisible. Écrivez des chiffres seuls, par exemple {example}.",
    ),
    "amount_powers": Words(
        "The amount is written as powers of ten, and digits may be lost. Enter it again in full.",
        "Le montant est écrit en puissances de dix et des chiffres peuvent manquer. Saisissez-le"
        " de nouveau en entier.",
    ),
    "amount_ambiguous": Words(
        "It is not certain what the separator in this amount means. Write it without separators"
        " between thousands, for example {example}.",
        "Le sens du séparateur de ce montant n'est pas certain. Écrivez-le sans séparateur de"
        " milliers, par exemple {example}.",
    ),
    "amount_zero": Words(
        "The amount is zero. Fill in the amount, or take the row out.",
        "Le montant est zéro. Indiquez le montant ou retirez la ligne.",
    ),
    "amount_negative": Words(
        "The amount is negative; a batch only pays. Correct it, or take the row out.",
        "Le montant est négatif ; un lot ne fait que payer. Corrigez-le ou retirez la ligne.",
    ),
    "amount_decimals": Words(
        "{currency} has {allowed} decimals and this amount has more. Round it the way your books"
        " do.",
        "Décimales possibles en {currency} : {allowed} ; ce montant en a plus. Arrondissez-le comme"
        " dans vos livres.",
    ),
    "amount_too_large": Words(
        "The amount has too many digits. Perhaps a phone number is in the wrong column.",
        "Le montant a trop de chiffres. Un numéro de téléphone est peut-être dans la mauvaise"
        " colonne.",
    ),
    "amount_above_limit": Words(
        "The amount is above the limit of {limit} for one payment.",
        "Le montant dépasse le plafond de {limit} par paiement.",
    ),
    "amount_below_limit": Words(
        "The amount is below the least of {limit} for one payment.",
        "Le montant est inférieur au minimum de {limit} par paiement.",
    ),
    "currency_differs": Words(
        "The currency is not {currency}, in which this batch pays. Put other currencies into a"
        " batch of their own.",
        "La devise n'est pas celle du lot ({currency}). Mettez les autres devises dans un lot à"
        " part.",
    ),
}

_TEXTS: Mapping[str, Words] = {
    "reference_too_long": Words(
        "The reference has more than {limit} characters. Shorten it.",
        "La référence a plus de {limit} caractères. Raccourcissez-la.",
    ),
    "note_cleaned": Words(
        "MTN takes only plain letters, digits and . , - _ / in notes: it will be sent as “{text}”.",
        "MTN n'accepte dans les notes que des lettres simples, des chiffres et . , - _ / : elle"
        " sera envoyée ainsi : « {text} ».",
    ),
    "note_dropped": Words(
        "MTN would not take anything of this note: it will be sent without one.",
        "MTN n'accepterait rien de cette note : le paiement partira sans note.",
    ),
    "name_missing": Words(
        "There is no name to compare with MTN's.",
        "Il n'y a pas de nom à comparer avec celui de MTN.",
    ),
    "cells_beyond_header": Words(
        "The row has more cells than the header, as a comma inside an amount makes it. Correct the"
        " row: no cell of it was trusted.",
        "La ligne a plus de cellules que l'en-tête, comme le fait une virgule dans un montant."
        " Corrigez la ligne : aucune cellule n'a été retenue.",
    ),
}

_TOGETHER: Mapping[str, Words] = {
    "same_payee_and_amount": Words(
        "The same payee gets the same amount in row {row} already. If both are meant, a second"
        " person allows it; otherwise take one out.",
        "Le même bénéficiaire reçoit déjà ce montant à la ligne {row}. Si c'est voulu, une deuxième"
        " personne l'autorise ; sinon retirez une ligne.",
    ),
    "same_payee": Words(
        "The same payee is paid in row {row} already, another amount.",
        "Le même bénéficiaire est déjà payé à la ligne {row}, d'un autre montant.",
    ),
    "same_reference": Words(
        "Row {row} has the same reference.",
        "La ligne {row} a la même référence.",
    ),
    "paid_same_period": Words(
        "This payee was paid {amount} for the same period by the batch “{label}” on {day}. A second"
        " person must allow another payment.",
        "Ce bénéficiaire a reçu {amount} pour la même période par le lot « {label} » le {day}. Une"
        " deuxième personne doit autoriser un autre paiement.",
    ),
    "paid_lately": Words(
        "This payee was paid the same amount, {amount}, by the batch “{label}” on {day}.",
        "Ce bénéficiaire a reçu le même montant, {amount}, par le lot « {label} » le {day}.",
    ),
}

_FILES: Mapping[str, Words] = {
    "same_file": Words(
        "The same payments were uploaded as batch “{label}” on {day}. A second person must allow"
        " them again.",
        "Les mêmes paiements ont été déposés dans le lot « {label} » le {day}. Une deuxième"
        " personne doit les autoriser de nouveau.",
    ),
    "total_differs": Words(
        "Row {row} gives a total of {told}, but the rows add up to {sum}. Correct one of them.",
        "La ligne {row} donne un total de {told}, mais la somme des lignes est {sum}. Corrigez l'un"
        " ou l'autre.",
    ),
    "total_unread": Words(
        "The total in row {row} could not be compared: it, or an amount above it, cannot be read.",
        "Le total de la ligne {row} n'a pas pu être comparé : lui-même ou un montant au-dessus est"
        " illisible.",
    ),
    "header_currency": Words(
        "The header of the amounts says {told}, and this batch pays in {currency}. Use the right"
        " account or file.",
        "L'en-tête des montants indique {told}, et ce lot paie en {currency}. Choisissez le bon"
        " compte ou le bon fichier.",
    ),
    "result_file": Words(
        "These are the results of an earlier batch, whose rows may be paid already. To pay what"
        " failed, use “retry failed”; otherwise take the result columns out.",
        "Ce sont les résultats d'un lot précédent, dont les lignes sont peut-être déjà payées. Pour"
        " payer ce qui a échoué, utilisez « retry failed » ; sinon retirez les colonnes de"
        " résultat.",
    ),
    "no_rows": Words(
        "There is no row to pay below the header.",
        "Il n'y a aucune ligne à payer sous l'en-tête.",
    ),
    "footer_ignored": Words(
        "Row {row}, below the total, names no payee and no amount, and was left out.",
        "La ligne {row}, sous le total, n'indique ni bénéficiaire ni montant et a été laissée de"
        " côté.",
    ),
}

_ASKED: Mapping[str, Words] = {
    "name_differs": Words(
        "MTN has another name for this number (similarity {score} of 100). A second person must"
        " allow it, or the number is corrected.",
        "MTN a un autre nom pour ce numéro (ressemblance {score} sur 100). Une deuxième personne"
        " doit l'autoriser, ou le numéro est corrigé.",
    ),
    "name_unchecked": Words(
        "The name could not be checked with MTN. That says nothing against the payee; a second"
        " person must allow the payment.",
        "Le nom n'a pas pu être vérifié auprès de MTN. Cela ne dit rien contre le bénéficiaire ;"
        " une deuxième personne doit autoriser le paiement.",
    ),
    "account_inactive": Words(
        "MTN says that this number has no active Mobile Money account. Ask the payee.",
        "MTN indique que ce numéro n'a pas de compte Mobile Money actif. Demandez au bénéficiaire.",
    ),
    "account_unchecked": Words(
        "It could not be checked whether this number has an active account. That is no failure; a"
        " second person must allow the payment.",
        "Il n'a pas été possible de vérifier si ce numéro a un compte actif. Ce n'est pas un échec"
        " ; une deuxième personne doit autoriser le paiement.",
    ),
}

WORDS: Mapping[str, Words] = {**_PHONES, **_AMOUNTS, **_TEXTS, **_TOGETHER, **_FILES, **_ASKED}
"""Every finding's code, with what it says. The last ones are found by asking MTN."""
