"""Zip prefixes: who lives where, and the samples of the geolocation file with their odd spellings and stray points."""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from replayhouse.ingest.synthetic.draws import Weighted, fraction, number
from replayhouse.ingest.synthetic.files import text_cell
from replayhouse.ingest.synthetic.towns import SELLERS_PER_CUSTOMER, TOWNS, Town, odd_spelling, other_spelling

GROUP = 8
"""So many prefixes have their samples mixed up with each other: in the source, too, those of a prefix lie apart."""

_ABROAD = (41.1, -8.6)


class Place(NamedTuple):
    """Where somebody is: a zip prefix of five digits, and the town."""

    zip_prefix: str
    town: Town


class Kind(NamedTuple):
    """What is odd about a prefix's samples: none, a tie of two spellings, so many abroad, or only those."""

    has_samples: bool = True
    is_tied: bool = False
    abroad: int = 0
    is_abroad_only: bool = False


def kind_of(index: int) -> Kind:
    """The oddity of a prefix, by its number in the extract."""
    if index % 97 == 11:
        return Kind(has_samples=False)
    if index % 40 == 7:
        return Kind(is_tied=True, abroad=index // 40 % 2)
    if index % 101 == 19:
        return Kind(abroad=2, is_abroad_only=True)
    return Kind(abroad=1 if index % 101 == 3 else 0)


class Places:
    """The zip prefixes of an extract of so many orders; more orders reach more of them, but ever fewer new ones."""

    def __init__(self, seed: int, orders: int) -> None:
        self._seed = seed
        self._pools: dict[str, range] = {}
        self._prefixes: list[tuple[int, Town]] = []
        wanted = 31_500 * orders / (orders + 58_000)
        weight = sum(town.weight for town in TOWNS)
        for town in TOWNS:
            room = town.last_prefix - town.first_prefix + 1
            size = min(room, max(2, round(wanted * town.weight / weight)))
            step = room // size
            self._pools[town.name] = range(town.first_prefix, town.first_prefix + size * step, step)
            self._prefixes += [(prefix, town) for prefix in self._pools[town.name]]
        # About ten samples an order, as in the source; fewer in a small extract, which should stay small.
        self._mean_samples = orders * (10 if orders >= 10_000 else 5) / len(self._prefixes)
        self._customers = Weighted((town, town.weight) for town in TOWNS)
        self._sellers = Weighted((town, town.weight * SELLERS_PER_CUSTOMER.get(town.state, 0.15)) for town in TOWNS)

    def __len__(self) -> int:
        return len(self._prefixes)

    def of_customer(self, bits: int) -> Place:
        """Where a person lives, by a number of 128 bits."""
        return self._place(self._customers.at(fraction(bits, 0)), fraction(bits, 1))

    def of_seller(self, bits: int) -> Place:
        """Where a seller has his store, by a number of 128 bits."""
        return self._place(self._sellers.at(fraction(bits, 0)), fraction(bits, 1))

    def samples(self, first: int, last: int) -> Iterator[list[str]]:
        """The rows of the geolocation file for the prefixes from number `first` to before `last`, group by group."""
        for start in range(first, last, GROUP):
            rows: list[str] = []
            for index in range(start, min(start + GROUP, last)):
                rows += self._samples_of(index)
            yield rows[0::3] + rows[1::3] + rows[2::3]

    def _place(self, town: Town, chance: float) -> Place:
        pool = self._pools[town.name]
        return Place(f"{pool[int(chance * len(pool))]:05d}", town)

    def _samples_of(self, index: int) -> list[str]:
        kind = kind_of(index)
        if not kind.has_samples:
            return []
        prefix, town = self._prefixes[index]
        random = Random(number(self._seed, "prefix", prefix)).random
        middle = (town.latitude + (random() - 0.5) * 0.12, town.longitude + (random() - 0.5) * 0.12)
        plain, other = town.plain_name, other_spelling(town)
        rows: list[str] = []
        if kind.is_tied:
            cities = (plain, other) * (1 + int(random() * 4))
            rows += [_sample(random, prefix, middle, city, town.state) for city in cities]
        elif not kind.is_abroad_only:
            # Three times a squared fraction is 1 in the mean: some prefixes have many samples, most have few.
            more = max(0.0, self._mean_samples - 1) * 3 * random() ** 2
            rows += _scattered(random, 1 + int(more + random()), prefix, middle, town)
        # Samples abroad have the spelling that would win the tie if they counted.
        rows += [_sample(random, prefix, _ABROAD, max(plain, other), town.state) for _ in range(kind.abroad)]
        return rows


def _sample(random: Callable[[], float], prefix: int, middle: tuple[float, float], city: str, state: str) -> str:
    latitude, longitude = middle
    return (
        f"{prefix:05d},{latitude + (random() - 0.5) * 0.02},{longitude + (random() - 0.5) * 0.02},"
        f"{text_cell(city)},{state}\n"
    )


def _scattered(
    random: Callable[[], float], count: int, prefix: int, middle: tuple[float, float], town: Town
) -> list[str]:
    """Samples around the middle of a prefix: a quarter repeats an earlier one, some are spelt otherwise."""
    rows: list[str] = []
    latitude, longitude = middle
    cell, usual = f"{prefix:05d}", f"{town.plain_name},{town.state}\n"
    accented = f"{town.name},{town.state}\n"
    for _ in range(count):
        chance = random()
        if chance < 0.25 and rows:
            rows.append(rows[int(chance * 4 * len(rows))])
            continue
        name = usual if chance < 0.85 else accented
        if chance > 0.996:
            name = _odd_name(random, town)
        rows.append(f"{cell},{latitude + (random() - 0.5) * 0.02},{longitude + (random() - 0.5) * 0.02},{name}")
    return rows


def _odd_name(random: Callable[[], float], town: Town) -> str:
    if random() < 0.1:
        return f"{town.plain_name},{'SP' if town.state != 'SP' else 'RJ'}\n"
    return f"{text_cell(odd_spelling(town, int(random() * 1000)))},{town.state}\n"
