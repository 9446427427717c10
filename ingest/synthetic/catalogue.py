"""The marketplace: products, sellers and categories, each a function of its number."""

from collections.abc import Iterator
from typing import NamedTuple

from replayhouse.ingest.synthetic.draws import Weighted, along, fraction, identifier, number
from replayhouse.ingest.synthetic.files import text_cell
from replayhouse.ingest.synthetic.places import Place, Places
from replayhouse.ingest.synthetic.towns import odd_spelling
from replayhouse.ingest.synthetic.wares import WARES, Ware

# Prices and weights as multiples of what is usual in the category, by twelfths of its products.
_PRICES = (0.12, 0.28, 0.42, 0.55, 0.7, 0.85, 1.0, 1.2, 1.45, 1.75, 2.1, 3.2, 7.0)
_WEIGHTS = (0.08, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 12.0)
_ENDINGS = Weighted(((90, 50), (99, 16), (0, 14), (50, 6), (49, 4), (80, 4), (94, 2), (27, 2), (5, 2)))
_SIDES = (11, 16, 18, 20, 24, 30, 35, 42, 60, 105)


class Product(NamedTuple):
    """What an order must know of a product: price in cents, weight in kilograms, the number of its seller."""

    product_id: str
    price: int
    kilograms: float
    seller: int


class Catalogue:
    """The products and sellers of an extract of so many orders."""

    def __init__(self, seed: int, orders: int, places: Places) -> None:
        self._seed = seed
        self._places = places
        self.products = max(60, orders * 33 // 100)
        self.sellers = max(12, orders * 31 // 1000)
        self._wares = Weighted((ware, ware.weight) for ware in WARES if ware.english)

    def product(self, index: int) -> Product:
        """What an order must know of the product of this number; the lower the number, the more it is bought."""
        bits = number(self._seed, "product", index)
        ware = self._ware(index, bits)
        reais = int(ware.price * along(_PRICES, fraction(bits, 1))) // 100
        seller = fraction(bits, 3)
        return Product(
            product_id=identifier(self._seed, "product", index),
            price=reais * 100 + _ENDINGS.at((bits & 0xFFFF) / 0x10000),
            kilograms=ware.grams * along(_WEIGHTS, fraction(bits, 2)) / 1000,
            seller=int(seller * seller * self.sellers),
        )

    def seller_id(self, index: int) -> str:
        """What the seller of this number is known by."""
        return identifier(self._seed, "seller", index)

    def seller_place(self, index: int) -> Place:
        """Where the seller of this number has his store."""
        return self._places.of_seller(number(self._seed, "seller", index))

    def product_rows(self, first: int, last: int) -> Iterator[str]:
        """The rows of the products file from number `first` to before `last`."""
        return (self._product_row(index) for index in range(first, last))

    def seller_rows(self, first: int, last: int) -> Iterator[str]:
        """The rows of the sellers file from number `first` to before `last`; one in forty has an odd city."""
        for index in range(first, last):
            place = self.seller_place(index)
            city = odd_spelling(place.town, index // 40) if index % 40 == 3 else place.town.plain_name
            yield f"{self.seller_id(index)},{place.zip_prefix},{text_cell(city)},{place.town.state}\n"

    def _ware(self, index: int, bits: int) -> Ware:
        untranslated = {43: -1, 44: -2}.get(index % 5000)
        return self._wares.at(fraction(bits, 0)) if untranslated is None else WARES[untranslated]

    def _product_row(self, index: int) -> str:
        product = self.product(index)
        bits = number(self._seed, "describe", index)
        described = ",,,"
        if index % 1000 != 35 and fraction(bits, 3) >= 0.0175:
            category = self._ware(index, number(self._seed, "product", index)).category
            name, photos = 20 + int(fraction(bits, 0) * 41), 1 + int(fraction(bits, 1) ** 3 * 9)
            described = f"{category},{name},{40 + int(fraction(bits, 2) ** 2 * 2900)},{photos}"
        if index % 10_000 == 37:
            return f"{product.product_id},{described},,,,\n"
        grams = 0 if index % 5000 == 41 else max(50, int(product.kilograms * 20) * 50)
        box = number(self._seed, "box", index)
        length, height, width = (along(_SIDES, fraction(box, side)) for side in range(3))
        return f"{product.product_id},{described},{grams},{int(length)},{max(2, int(height) - 9)},{int(width)}\n"


def category_rows() -> Iterator[str]:
    """The rows of the translation file: all categories but two."""
    return (f"{ware.category},{ware.english}\n" for ware in WARES if ware.english is not None)
