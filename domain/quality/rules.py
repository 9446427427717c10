"""The rules of quality: what an extract is held against, what each rule weighs, and how a load is scored.

Rules are declared here and judged here; how often one is broken is counted where the records are. A rule marked
CRITICAL rejects the extract as a whole. A rule named by a quarantined record is broken by that record.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class Dimension(StrEnum):
    """What a rule is about."""

    COMPLETENESS = "completeness"
    ACCURACY = "accuracy"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"
    VALIDITY = "validity"


class Severity(StrEnum):
    """How bad it is to break a rule."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


TARGETS: dict[Dimension, Decimal] = {
    Dimension.COMPLETENESS: Decimal("98"),
    Dimension.ACCURACY: Decimal("99.5"),
    Dimension.CONSISTENCY: Decimal("99"),
    Dimension.TIMELINESS: Decimal("95"),
    Dimension.UNIQUENESS: Decimal("100"),
    Dimension.VALIDITY: Decimal("99"),
}
"""The share of checked records, in percent, that must keep a rule for it to pass."""

WEIGHTS: dict[Severity, Decimal] = {
    Severity.CRITICAL: Decimal("4"),
    Severity.HIGH: Decimal("2"),
    Severity.MEDIUM: Decimal("1"),
    Severity.LOW: Decimal("0.5"),
}
"""What a rule counts in the score."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What should hold, as a sentence for people."""

    name: str
    sentence: str
    dimension: Dimension
    severity: Severity


class Check(NamedTuple):
    """How many records, or files, a rule was held against, and how many broke it."""

    rule: Rule
    checked: int
    failed: int


def _rules(dimension: Dimension, *rules: tuple[Severity, str, str]) -> tuple[Rule, ...]:
    return tuple(Rule(name, sentence, dimension, severity) for severity, name, sentence in rules)


_COMPLETENESS = _rules(
    Dimension.COMPLETENESS,
    (Severity.CRITICAL, "required_files_present", "Each required file is in the extract or was loaded before."),
    (Severity.CRITICAL, "columns_present", "The header of a file names each column of the source, once."),
    (Severity.CRITICAL, "files_complete", "No file is empty or cut off within a record."),
    (Severity.CRITICAL, "files_have_good_records", "Of the records of a required file, one at least passes."),
    (Severity.CRITICAL, "extract_not_shrunk", "Of no kind of record lacks a complete extract more than it may."),
    (Severity.HIGH, "required_cells_filled", "A cell that every record of its file needs is not empty."),
    (Severity.HIGH, "orders_have_customer", "The customer_id of an order stands in the customers file."),
    (Severity.MEDIUM, "orders_have_lines", "An order has at least one item."),
    (Severity.MEDIUM, "orders_have_payments", "An order has at least one payment."),
    (
        Severity.MEDIUM,
        "approved_orders_have_time",
        "An order approved or further, and not ended, has an approval time.",
    ),
    (Severity.MEDIUM, "shipped_orders_have_time", "An order shipped or delivered has the time the carrier got it."),
    (Severity.MEDIUM, "delivered_orders_have_time", "A delivered order has a delivery time."),
    (Severity.LOW, "orders_have_promise", "An order says until when its delivery was promised."),
    (Severity.LOW, "items_have_ship_by", "An item says until when its seller has to hand it to the carrier."),
    (Severity.LOW, "items_name_seller", "An item says who sells it."),
    (Severity.MEDIUM, "records_still_there", "A record that an earlier load of a complete source brought is there."),
    (Severity.LOW, "reviews_have_answer_time", "A review has the time of its answer."),
    (Severity.MEDIUM, "products_have_category", "A product has a category."),
    (Severity.MEDIUM, "products_have_measures", "A product has a weight, a length, a height and a width."),
    (Severity.LOW, "products_have_description", "A product has the lengths of its name and description, and photos."),
    (Severity.LOW, "categories_translated", "A category that a product shows is translated."),
    (Severity.LOW, "zip_prefixes_sampled", "The zip prefix of a customer or seller has a geolocation sample."),
)

_ACCURACY = _rules(
    Dimension.ACCURACY,
    (Severity.MEDIUM, "samples_inside_brazil", "A geolocation sample lies inside Brazil."),
    (Severity.MEDIUM, "payments_match_total", "What was paid for an order is the total of its items, to the cent."),
    (Severity.LOW, "prices_positive", "The price of an item is above zero."),
    (Severity.LOW, "payments_positive", "A payment is above zero."),
    (Severity.LOW, "weights_positive", "The weight of a product is above zero."),
    (Severity.LOW, "sizes_positive", "Length, height and width of a product are above zero."),
)

_CONSISTENCY = _rules(
    Dimension.CONSISTENCY,
    (Severity.HIGH, "orders_known", "The order of an item, payment or review is in the extract or was loaded before."),
    (Severity.HIGH, "orders_not_quarantined", "The order of an item, payment or review is not quarantined itself."),
    (Severity.HIGH, "statuses_go_up", "An order's status has no lower rank than an earlier load gave it."),
    (Severity.HIGH, "orders_keep_customer", "An order keeps the customer_id that an earlier load gave it."),
    (Severity.HIGH, "aliases_keep_person", "A customer_id keeps the person that an earlier load gave it to."),
    (Severity.MEDIUM, "items_have_product", "The product of an item stands in the products file."),
    (Severity.MEDIUM, "items_have_seller", "The seller of an item stands in the sellers file."),
    (Severity.LOW, "item_numbers_without_gap", "The items of an order are numbered from 1 on without a gap."),
    (Severity.LOW, "times_fit_status", "An order that has not ended shows no time of a step beyond its status."),
    (Severity.MEDIUM, "canceled_orders_not_delivered", "A canceled or unavailable order has no delivery time."),
    (Severity.LOW, "prefixes_in_one_state", "The geolocation samples of a zip prefix are all in one state."),
)

_TIMELINESS = _rules(
    Dimension.TIMELINESS,
    (Severity.MEDIUM, "approved_after_placed", "An order is not approved before it is placed."),
    (Severity.MEDIUM, "shipped_after_approved", "The carrier does not get an order before it is approved."),
    (Severity.MEDIUM, "delivered_after_shipped", "An order is not delivered before the carrier gets it."),
    (Severity.MEDIUM, "promised_after_placed", "An order's delivery is not promised for a time before it is placed."),
    (Severity.LOW, "ship_by_after_placed", "An item is not to be shipped before its order is placed."),
    (Severity.LOW, "reviewed_after_placed", "A review is not asked for before its order is placed."),
    (Severity.LOW, "answered_after_created", "A review is not answered before it is asked for."),
    (Severity.LOW, "answered_within_30_days", "A review is answered within 30 days."),
    (Severity.MEDIUM, "placed_before_load", "An order is not placed later than the day after its load was opened."),
    (Severity.LOW, "times_near_load", "No time is more than two years after the day its load was opened."),
)

_UNIQUENESS = _rules(
    Dimension.UNIQUENESS,
    (Severity.HIGH, "keys_unique", "No two records of a file have the same key and other values."),
    (Severity.LOW, "records_not_repeated", "No record of a file with keys is repeated as it is."),
    (Severity.LOW, "reviews_of_one_order", "A review belongs to one order only."),
    (Severity.LOW, "orders_reviewed_once", "An order has one review at most."),
)

_VALIDITY = _rules(
    Dimension.VALIDITY,
    (Severity.CRITICAL, "files_in_utf8", "A file is UTF-8 text without NUL bytes."),
    (Severity.CRITICAL, "lines_end_in_lf", "The lines of a file end in LF or CR LF."),
    (Severity.CRITICAL, "quotes_closed", "Every quote stands where one may, and is closed."),
    (Severity.HIGH, "records_well_formed", "A record has as many cells as the header of its file."),
    (
        Severity.HIGH,
        "values_readable",
        "A filled cell holds an identifier, time, number or zip prefix where it should.",
    ),
    (Severity.HIGH, "statuses_known", "The status of an order is one of the eight."),
    (Severity.HIGH, "scores_in_range", "The score of a review is 1 to 5."),
    (Severity.MEDIUM, "states_known", "The state of a customer, seller or sample is one of Brazil's 27."),
    (
        Severity.LOW,
        "cities_plain",
        "The city of a customer or seller is a name without digits, slashes, commas or signs.",
    ),
    (Severity.LOW, "texts_not_null_words", "A filled text is not just NULL, NaN, nan, NaT, None, \\N or N/A."),
    (Severity.LOW, "payment_methods_known", "A payment is by credit_card, boleto, voucher or debit_card."),
    (Severity.LOW, "installments_positive", "A payment has at least one installment."),
    (
        Severity.LOW,
        "numbers_not_negative",
        "Numbers of items and payments, and what a product counts, are not negative.",
    ),
)

RULES: tuple[Rule, ...] = _COMPLETENESS + _ACCURACY + _CONSISTENCY + _TIMELINESS + _UNIQUENESS + _VALIDITY

RULE: dict[str, Rule] = {rule.name: rule for rule in RULES}
"""Each rule by its name."""

RULES_OF_MAPPINGS = frozenset(
    {"orders_have_promise", "items_have_ship_by", "items_name_seller", "records_still_there", "extract_not_shrunk"}
)
"""Names of rules to which only the mapping of a source leads; no load of the nine files is held against them."""

RULES_THAT_KEEP_OUT = frozenset(
    {
        "required_cells_filled",
        "orders_known",
        "orders_not_quarantined",
        "statuses_go_up",
        "orders_keep_customer",
        "aliases_keep_person",
        "keys_unique",
        "records_well_formed",
        "values_readable",
        "statuses_known",
        "scores_in_range",
    }
)
"""Names of rules that quarantine the records that break them."""

PAYMENT_METHODS = ("credit_card", "boleto", "voucher", "debit_card")
"""The methods that `payment_methods_known` knows, where no mapping names others."""


def may_be_off(rule: Rule) -> bool:
    """Whether the mapping of a source may switch the rule off: one that only finds, and decides nothing."""
    return rule.severity is not Severity.CRITICAL and rule.name not in RULES_THAT_KEEP_OUT


def kept(check: Check) -> Fraction:
    """The share of what was checked that keeps the rule, 0 to 1; 1 if nothing was checked."""
    return Fraction(check.checked - check.failed, check.checked) if check.checked else Fraction(1)


def passed(check: Check) -> bool:
    """Whether the target of the rule's dimension is reached, exactly."""
    return kept(check) * 100 >= Fraction(TARGETS[check.rule.dimension])


def score(checks: Iterable[Check]) -> Decimal:
    """The mean of what is kept, weighted by severity, over the rules that checked something.

    From 0 to 100 with two decimals, rounded half up from the exact fraction; 100.00 if nothing was checked.
    """
    counted = [check for check in checks if check.checked]
    weight = sum((Fraction(WEIGHTS[check.rule.severity]) for check in counted), Fraction(0))
    if not weight:
        return Decimal("100.00")
    gained = sum((Fraction(WEIGHTS[check.rule.severity]) * kept(check) for check in counted), Fraction(0))
    hundredths = math.floor(gained / weight * 10_000 + Fraction(1, 2))
    return Decimal(hundredths).scaleb(-2)
