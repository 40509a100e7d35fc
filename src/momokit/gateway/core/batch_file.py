"""What the columns of a file of payments mean: headers in English and French, and total rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from momokit.gateway.core.cells import Row
from momokit.money import CURRENCIES


class Role(StrEnum):
    """What a column is for. `OTHER` columns are kept and given back, and never read."""

    PHONE = "phone"
    AMOUNT = "amount"
    NAME = "name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    REFERENCE = "reference"
    NOTE = "note"
    CURRENCY = "currency"
    NATIONAL_ID = "national_id"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column: where it stands (from 0), what the file calls it, and what it is for.

    `currency` is set where the header of the amounts names one, as in "Amount (UGX)".
    """

    index: int
    title: str
    role: Role
    currency: str = ""

    @property
    def shown(self) -> str:
        """For messages: its title, or the letter by which a spreadsheet knows it."""
        return self.title.strip() or letter(self.index)


def letter(index: int) -> str:
    """For naming a column without a title, as spreadsheets do: A, B … Z, AA."""
    name, rest = "", index + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _titles(text: str) -> frozenset[str]:
    return frozenset(one.strip() for one in text.split(","))


# In order: a title of an earlier line is preferred to one of a later line of the same role.
_TITLES: tuple[tuple[Role, frozenset[str]], ...] = (
    (
        Role.PHONE,
        _titles(
            "phone, phone number, phone no, phone nr, telephone, telephone number, telephone no,"
            " tel, tel no, tel number, mobile, mobile number, mobile no, mobile phone, cell,"
            " cell number, cell phone, cellphone, msisdn, momo, momo number, momo no, momo phone,"
            " mobile money number, mobile money no, mobile money, wallet, wallet number,"
            " payee number, payee phone, payee msisdn, beneficiary number, beneficiary phone,"
            " recipient number, recipient phone, mtn number, numero de telephone, no de telephone,"
            " n de telephone, numero telephone, n telephone, no telephone, num tel, numero tel,"
            " n tel, numero de tel, portable, numero portable, numero de portable, numero mobile,"
            " numero momo, compte momo, numero mobile money, compte mobile money, gsm, numero gsm,"
            " numero mtn, numero du beneficiaire, numero beneficiaire, telephone du beneficiaire,"
            " telephone beneficiaire"
        ),
    ),
    (Role.PHONE, _titles("numero, contact, contacts, contact number, contact no")),
    (
        Role.AMOUNT,
        _titles(
            "amount, amt, amount in, amount to pay, amount payable, payment amount, net pay,"
            " net amount, montant, montant en, montant a payer, montant net,"
            " montant net a payer, net a payer"
        ),
    ),
    (
        Role.AMOUNT,
        _titles(
            "net salary, salary, net, pay, wage, wages, payment, sum, value, stipend, allowance,"
            " salaire net, salaire, paie, paye, somme, valeur, remuneration, indemnite, prime"
        ),
    ),
    (
        Role.NAME,
        _titles(
            "full name, full names, name, names, employee name, staff name, payee name,"
            " beneficiary name, recipient name, account name, account holder, holder name,"
            " holder, worker name, nom complet, nom, noms, nom et prenom, nom et prenoms,"
            " noms et prenoms, nom prenom, nom prenoms, noms prenoms, prenom et nom, prenom nom,"
            " prenoms et noms, prenoms et nom, nom du beneficiaire, nom beneficiaire,"
            " nom de l employe, nom employe, titulaire, nom du titulaire, intitule du compte"
        ),
    ),
    (
        Role.NAME,
        _titles("employee, payee, beneficiary, recipient, worker, beneficiaire, employe, salarie"),
    ),
    (
        Role.GIVEN_NAME,
        _titles(
            "first name, first names, given name, given names, forename, forenames, other names,"
            " other name, prenom, prenoms"
        ),
    ),
    (Role.FAMILY_NAME, _titles("last name, surname, family name, nom de famille, patronyme")),
    (
        Role.REFERENCE,
        _titles(
            "reference, ref, references, reference number, reference no, ref no, payment reference,"
            " your reference, external id, numero de reference, no de reference, n de reference,"
            " reference paiement, reference de paiement, reference du paiement"
        ),
    ),
    (
        Role.REFERENCE,
        _titles(
            "employee id, employee no, employee number, staff id, staff no, staff number,"
            " payroll number, payroll no, payroll id, beneficiary id, household id, invoice number,"
            " invoice no, matricule, numero matricule, n matricule, no matricule, numero de facture"
        ),
    ),
    (
        Role.NOTE,
        _titles(
            "note, message, narration, motif, libelle, motif du paiement, objet, notes,"
            " purpose, memo, payee note, message au beneficiaire"
        ),
    ),
    (
        Role.NOTE,
        _titles("description, comment, comments, details, remark, remarks, commentaire"),
    ),
    (Role.CURRENCY, _titles("currency, currency code, ccy, devise, monnaie, code devise")),
    (
        Role.NATIONAL_ID,
        _titles(
            "national id, national id number, national id no, nin, nid, id number, id no,"
            " identity number, identity card, ghana card, passport, passport number, cni,"
            " numero cni, n cni, no cni, piece d identite, numero de piece,"
            " numero de piece d identite, carte d identite, carte nationale d identite,"
            " numero d identite, identifiant national"
        ),
    ),
)
_CFA = frozenset({"fcfa", "cfa"})
_TOTALS = _titles(
    "total, totals, totaux, grand total, sum, somme, total amount, total general, total net,"
    " total a payer, net total, sub total, subtotal, sous total, total pay, total salaries,"
    " montant total, total montant"
)


def folded(text: str) -> str:
    """For comparing words as people write them: no accents, no case, single spaces."""
    if text.isascii() and text.isalnum():
        return text[:200].lower()
    plain = unicodedata.normalize("NFKD", text[:200].replace("œ", "oe").replace("Œ", "oe"))
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def _read_title(title: str) -> tuple[str, str]:
    """The words of a title without currency and units, and the currency if it names one."""
    words = folded(re.sub(r"[(\[{].*?[)\]}]", " ", title))
    everything = folded(title).split()
    named = [word for word in everything if word.upper() in CURRENCIES or word in _CFA]
    currency = named[0].upper() if len(set(named)) == 1 else ""
    bare = " ".join(word for word in words.split() if word not in named)
    return bare or words, currency


def recognise_header(titles: Sequence[str]) -> tuple[Column, ...] | None:
    """For finding the header: its columns, or None for a row that is no header of payments.

    A header names at least the phone and the amount. Two columns of one role can both be in the
    result: `find_clash` tells.
    """
    read = [_read_title(title) for title in titles]
    roles: dict[int, Role] = {}
    for role, words in _TITLES:
        if role in roles.values():
            continue
        roles |= {n: role for n, (bare, _) in enumerate(read) if n not in roles and bare in words}
    if not {Role.PHONE, Role.AMOUNT} <= set(roles.values()):
        return None
    columns = [
        Column(
            index=index,
            title=title,
            role=roles.get(index, Role.OTHER),
            currency=read[index][1] if roles.get(index) is Role.AMOUNT else "",
        )
        for index, title in enumerate(titles)
    ]
    return tuple(_split_name(columns))


def _split_name(columns: list[Column]) -> list[Column]:
    """Beside a column of given names, "Name" or "Nom" holds the family's."""
    roles = {column.role for column in columns}
    if Role.GIVEN_NAME not in roles or Role.FAMILY_NAME in roles:
        return columns
    return [
        replace(column, role=Role.FAMILY_NAME) if column.role is Role.NAME else column
        for column in columns
    ]


_SPOKEN = {
    "fr": _titles(
        "montant, numero, nom, noms, prenom, prenoms, salaire, paie, paye, somme, motif, libelle,"
        " devise, matricule, beneficiaire, employe, titulaire, gsm, portable, commentaire, objet"
    ),
    "en": _titles(
        "amount, number, name, names, salary, pay, payment, wage, wages, sum, note, currency,"
        " employee, payee, beneficiary, recipient, phone, mobile, cell, wallet, narration,"
        " description, staff"
    ),
}


def language_of(columns: Iterable[Column]) -> str:
    """For reading amounts as their writer does: "en" or "fr"; "" when the titles do not say."""
    read = [_read_title(one.title)[0].split() for one in columns if one.role is not Role.OTHER]
    words = {word for title in read for word in title}
    spoken = [language for language, known in _SPOKEN.items() if words & known]
    return spoken[0] if len(spoken) == 1 else ""


# The columns that results are given back with; see the result file of a batch.
_OF_RESULTS = (
    _titles("mtn transaction id, n de transaction mtn"),
    _titles("payment id, n de paiement"),
)


def is_of_results(titles: Iterable[str]) -> bool:
    """For telling a file of results, whose rows were paid already, from a file to be paid."""
    words = {folded(title) for title in titles}
    return all(words & names for names in _OF_RESULTS)


def find_clash(columns: Iterable[Column]) -> tuple[Column, Column] | None:
    """For refusing to choose: two columns that claim the same role, or None."""
    seen: dict[Role, Column] = {}
    for column in columns:
        if column.role is Role.OTHER:
            continue
        if column.role in seen:
            return seen[column.role], column
        seen[column.role] = column
    return None


def places(columns: Iterable[Column]) -> Mapping[Role, Column]:
    """For finding a column by its role."""
    return {column.role: column for column in columns if column.role is not Role.OTHER}


def is_total(row: Row, *, columns: Mapping[Role, Column]) -> Literal["named", "bare"] | None:
    """For telling a total row: it names no payee and says "total", or has nothing but an amount.

    One that says nothing ("bare") is a total only if it is the sum.
    """
    amount = columns[Role.AMOUNT].index
    phone = _text(row, columns[Role.PHONE].index)
    if not _text(row, amount) or any(c.isdigit() for c in phone):
        return None
    rest = [cell.text for index, cell in enumerate(row.cells) if index != amount]
    filled = [text for text in rest if text.strip()]
    if not filled:
        return "bare"
    return "named" if any(folded(text) in _TOTALS for text in filled) else None


def is_footer(row: Row, *, columns: Mapping[Role, Column]) -> bool:
    """For telling what stands below a total, a signature say: neither a payee nor an amount."""
    phone, amount = (_text(row, columns[role].index) for role in (Role.PHONE, Role.AMOUNT))
    return not amount and not any(c.isdigit() for c in phone)


def _text(row: Row, index: int) -> str:
    return row.cells[index].text.strip() if index < len(row.cells) else ""
