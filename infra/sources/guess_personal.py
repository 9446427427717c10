"""Which columns are probably about people: by what they are called, and by what their cells look like."""

import re
from collections.abc import Callable, Collection

from replayhouse.infra.sources.guess_cells import MOST
from replayhouse.infra.sources.typed_cells import PLAIN

_IMPERSONAL = re.compile(r"product|produto|categor|file|article|artigo|sku|item|currency|status", re.IGNORECASE)
_NAMES = re.compile(
    r"name|mail|phone|mobile|address|street|city|zip|postal|postcode|cep|birth|cpf|cnpj|nif|dni|comment|message|note"
    r"|latitude|longitude|(^|[_\W])ip([_\W]|$)|nome|nombre|apellid|endere|direcc|morada|telefone|telem|celular|cidade"
    r"|ciudad|municip|bairro|logradouro|nascimento|coment|observa|mensag|correo",
    re.IGNORECASE,
)
_PEOPLE = re.compile(r"\W*(customer|client|cliente|buyer|comprador|person|pessoa|persona)\W*", re.IGNORECASE)
"""What may be a person's name or number: the cells tell."""

_FULL_NAME = re.compile(r"[^\d_]{2,} \S.*")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(?=(?:\D*\d){8,15}\D*$)(?:\+\d[\d ()./-]+|\(\d{2,4}\)[\d -]+|\d{2,5} \d{4,5}-\d{4})")
_CPF = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}")
_CNPJ = re.compile(r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}")
_CEP = re.compile(r"\d{5}-\d{3}")


def are_mails(cells: Collection[str]) -> bool:
    """Whether most cells are e-mail addresses."""
    return _most(cells, lambda cell: _MAIL.fullmatch(cell) is not None)


def are_ceps(cells: Collection[str]) -> bool:
    """Whether most cells are postcodes of Brazil with their hyphen."""
    return _most(cells, lambda cell: _CEP.fullmatch(cell) is not None)


def is_personal(name: str, cells: Collection[str], *, is_of_things: bool = False) -> bool:
    """Whether a column, with these cells, is probably about people; `is_of_things`: its file is not."""
    if _most(cells, _is_about_somebody):
        return True
    if is_of_things:
        return False
    if _PEOPLE.fullmatch(name) is not None:
        return _most(cells, lambda cell: _FULL_NAME.fullmatch(cell) is not None)
    return _NAMES.search(name) is not None and _IMPERSONAL.search(name) is None


def _is_about_somebody(cell: str) -> bool:
    told = cell.removeprefix(PLAIN)
    return any(form.fullmatch(told) for form in (_MAIL, _PHONE, _CNPJ, _CEP)) or _is_cpf(told)


def _is_cpf(cell: str) -> bool:
    """Whether it is a number of Brazil's register of people: the last two digits are computed of the others."""
    if _CPF.fullmatch(cell) is None:
        return False
    digits = [int(digit) for digit in cell if digit.isdigit()]
    checked = [_check_digit(digits[:9]), _check_digit(digits[:10])]
    return len(set(digits)) > 1 and digits[9:] == checked


def _check_digit(digits: list[int]) -> int:
    weighed = sum(digit * (len(digits) + 1 - place) for place, digit in enumerate(digits))
    return weighed * 10 % 11 % 10


def _most(cells: Collection[str], is_one: Callable[[str], bool]) -> bool:
    return bool(cells) and sum(map(is_one, cells)) >= MOST * len(cells)
