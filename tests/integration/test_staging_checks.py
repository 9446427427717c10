"""Each rule of quality has an extract that breaks it, and one that does not."""

from pathlib import Path

import pytest

from replayhouse.domain.quality.rules import RULES, RULES_OF_MAPPINGS, RULES_THAT_KEEP_OUT, Severity, passed
from replayhouse.infra.staging.checks import queries
from replayhouse.infra.staging.expected import Expected
from replayhouse.infra.staging.extract import open_extract
from replayhouse.infra.staging.staging import stage
from replayhouse.ingest.assess import FILE_RULES, assess
from tests.support.staging import (
    Harm,
    Tables,
    a_good_extract,
    an_id,
    category,
    customer,
    item,
    order,
    payment,
    product,
    review,
    sample,
    seller,
    staged,
    staged_of,
    write,
)

DAY_BEFORE = "2017-12-31 09:00:00"
NOBODY = an_id("nobody", 1)


def set_cell(file: str, column: str, value: str) -> Harm:
    def harm(tables: Tables) -> None:
        tables[file][0][column] = value

    return harm


def add(file: str, row: dict[str, str]) -> Harm:
    return lambda tables: tables[file].append(row)


def drop_first(file: str) -> Harm:
    return lambda tables: tables[file].__delitem__(0)


def both(*harms: Harm) -> Harm:
    def harm(tables: Tables) -> None:
        for each in harms:
            each(tables)

    return harm


KNOWN = {
    "orders": "order_id,customer_alias,status,placed_at,sellers\n"
    f"{an_id('order', 1)},{an_id('alias', 1)},canceled,2018-01-01 10:00:00,\n"
    f"{an_id('order', 2)},{an_id('alias', 9)},created,2018-01-01 10:00:00,\n",
    "aliases": f"customer_alias,customer_id\n{an_id('alias', 1)},{an_id('person', 7)}\n",
}

HARMS: dict[str, Harm] = {
    "required_cells_filled": set_cell("customers", "customer_city", ""),
    "orders_have_customer": drop_first("customers"),
    "orders_have_lines": drop_first("order_items"),
    "orders_have_payments": drop_first("order_payments"),
    "approved_orders_have_time": set_cell("orders", "order_approved_at", ""),
    "shipped_orders_have_time": set_cell("orders", "order_delivered_carrier_date", ""),
    "delivered_orders_have_time": set_cell("orders", "order_delivered_customer_date", ""),
    "reviews_have_answer_time": set_cell("order_reviews", "review_answer_timestamp", ""),
    "products_have_category": set_cell("products", "product_category_name", ""),
    "products_have_measures": set_cell("products", "product_height_cm", ""),
    "products_have_description": set_cell("products", "product_photos_qty", ""),
    "categories_translated": set_cell("products", "product_category_name", "pc_gamer"),
    "zip_prefixes_sampled": set_cell("sellers", "seller_zip_code_prefix", "99999"),
    "samples_inside_brazil": set_cell("geolocation", "geolocation_lng", "-8.6"),
    "payments_match_total": set_cell("order_payments", "payment_value", "99.98"),
    "prices_positive": set_cell("order_items", "price", "0"),
    "payments_positive": set_cell("order_payments", "payment_value", "0.00"),
    "weights_positive": set_cell("products", "product_weight_g", "0"),
    "sizes_positive": set_cell("products", "product_width_cm", "0"),
    "orders_known": add("order_payments", payment(4)),
    "orders_not_quarantined": both(
        add("orders", order(4, order_status="lost")), add("customers", customer(4)), add("order_items", item(4))
    ),
    "items_have_product": set_cell("order_items", "product_id", NOBODY),
    "items_have_seller": set_cell("order_items", "seller_id", NOBODY),
    "item_numbers_without_gap": set_cell("order_items", "order_item_id", "2"),
    "times_fit_status": set_cell("orders", "order_status", "shipped"),
    "canceled_orders_not_delivered": set_cell("orders", "order_status", "canceled"),
    "prefixes_in_one_state": set_cell("geolocation", "geolocation_state", "RJ"),
    "approved_after_placed": set_cell("orders", "order_approved_at", DAY_BEFORE),
    "shipped_after_approved": set_cell("orders", "order_delivered_carrier_date", "2018-01-01 10:30:00"),
    "delivered_after_shipped": set_cell("orders", "order_delivered_customer_date", "2018-01-02 11:59:59"),
    "promised_after_placed": set_cell("orders", "order_estimated_delivery_date", DAY_BEFORE),
    "ship_by_after_placed": set_cell("order_items", "shipping_limit_date", DAY_BEFORE),
    "reviewed_after_placed": set_cell("order_reviews", "review_creation_date", DAY_BEFORE),
    "answered_after_created": set_cell("order_reviews", "review_answer_timestamp", DAY_BEFORE),
    "answered_within_30_days": set_cell("order_reviews", "review_answer_timestamp", "2018-02-05 00:00:01"),
    "placed_before_load": set_cell("orders", "order_purchase_timestamp", "2026-03-03 00:00:00"),
    "times_near_load": set_cell("order_items", "shipping_limit_date", "2028-03-02 00:00:00"),
    "keys_unique": add("sellers", seller(1, seller_state="RJ")),
    "records_not_repeated": add("sellers", seller(1)),
    "reviews_of_one_order": set_cell("order_reviews", "review_id", an_id("review", 2)),
    "orders_reviewed_once": add("order_reviews", review(3, order_id=an_id("order", 1))),
    "values_readable": set_cell("orders", "order_purchase_timestamp", "01/01/2018"),
    "statuses_known": set_cell("orders", "order_status", "lost"),
    "scores_in_range": set_cell("order_reviews", "review_score", "6"),
    "states_known": set_cell("customers", "customer_state", "XX"),
    "cities_plain": set_cell("customers", "customer_city", "são paulo / sp"),
    "texts_not_null_words": set_cell("order_reviews", "review_comment_title", "NaN"),
    "payment_methods_known": set_cell("order_payments", "payment_type", "not_defined"),
    "installments_positive": set_cell("order_payments", "payment_installments", "0"),
    "numbers_not_negative": add("products", product(2, product_weight_g="-5")),
}


UNKNOWN: dict[str, Harm] = {
    "orders_have_promise": set_cell("orders", "order_estimated_delivery_date", ""),
    "items_have_ship_by": set_cell("order_items", "shipping_limit_date", ""),
    "items_name_seller": set_cell("order_items", "seller_id", ""),
}
"""What only extracts of sources that may not know it are held against."""


def test_a_good_extract_breaks_no_rule_and_every_rule_is_checked(tmp_path: Path) -> None:
    tables = a_good_extract()
    result = staged(tmp_path, tables)
    judged = assess(list(tables), result.unreadable, result.checks)
    assert [check.rule.name for check in judged.checks if check.failed] == []
    assert [check.rule.name for check in judged.checks if not check.checked] == []
    assert {check.rule for check in judged.checks} == {rule for rule in RULES if rule.name not in RULES_OF_MAPPINGS}
    assert judged.is_accepted
    assert str(judged.score) == "100.00"


@pytest.mark.parametrize(("rule", "harm"), HARMS.items(), ids=HARMS.keys())
def test_a_harmed_extract_breaks_the_rule_once(tmp_path: Path, rule: str, harm: Harm) -> None:
    tables = a_good_extract()
    harm(tables)
    result = staged(tmp_path, tables)
    checks = {check.rule.name: check for check in result.checks}
    assert checks[rule].failed == 1
    assert not passed(checks[rule])
    assert (rule in {record.rule for record in result.quarantined()}) is (rule in RULES_THAT_KEEP_OUT)


@pytest.mark.usefixtures("may_not_know")
@pytest.mark.parametrize(("rule", "harm"), UNKNOWN.items(), ids=UNKNOWN.keys())
def test_what_a_source_may_not_know_breaks_its_rule_and_no_other(tmp_path: Path, rule: str, harm: Harm) -> None:
    tables = a_good_extract()
    harm(tables)
    result = staged(tmp_path, tables)
    assert {check.rule.name: check.failed for check in result.checks if check.failed} == {rule: 1}
    assert all(check.checked for check in result.checks)
    assert list(result.quarantined()) == []


@pytest.mark.parametrize(("rule", "harm"), UNKNOWN.items(), ids=UNKNOWN.keys())
def test_of_a_source_that_knows_it_the_record_is_kept_out(tmp_path: Path, rule: str, harm: Harm) -> None:
    tables = a_good_extract()
    harm(tables)
    checks = {check.rule.name: check for check in staged(tmp_path, tables).checks}
    assert (checks["required_cells_filled"].failed, rule in checks) == (1, False)


@pytest.mark.parametrize("rule", ["statuses_go_up", "orders_keep_customer", "aliases_keep_person"])
def test_an_extract_that_contradicts_the_log_breaks_the_rule(tmp_path: Path, rule: str) -> None:
    result = staged(tmp_path, a_good_extract(), KNOWN)
    assert {check.rule.name: check.failed for check in result.checks}[rule] == 1
    assert rule in {record.rule for record in result.quarantined()} & RULES_THAT_KEEP_OUT


def test_a_record_with_too_many_cells_breaks_the_rule(tmp_path: Path) -> None:
    tables = a_good_extract()
    path = write(tmp_path / "extract", tables) / "olist_sellers_dataset.csv"
    tables.pop("sellers")
    path.write_text(path.read_text() + "a,b,c,d,e\n")
    result = staged(tmp_path, tables)
    assert {check.rule.name: check.failed for check in result.checks}["records_well_formed"] == 1
    assert {record.rule for record in result.quarantined()} & RULES_THAT_KEEP_OUT == {"records_well_formed"}


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("required_files_present", None),
        ("columns_present", b"seller_id,seller_city,seller_state\n"),
        ("files_complete", b"seller_id,seller_zip_code_prefix,seller_city,seller_state\nx"),
        ("files_in_utf8", b"seller_id,seller_zip_code_prefix,seller_city,seller_state\nx,1,\xe3,SP\n"),
        ("files_have_good_records", b"seller_id,seller_zip_code_prefix,seller_city,seller_state\nx,1,y,SP\n"),
        ("lines_end_in_lf", b"seller_id,seller_zip_code_prefix,seller_city,seller_state\rx,1,y,SP\r"),
        ("quotes_closed", b'seller_id,seller_zip_code_prefix,seller_city,seller_state\nx,1,"y,SP\n'),
    ],
)
def test_a_harmed_file_breaks_the_rule_and_rejects_the_extract(
    tmp_path: Path, rule: str, content: bytes | None
) -> None:
    path = write(tmp_path / "extract", a_good_extract())
    (path / "olist_sellers_dataset.csv").unlink()
    if content is not None:
        (path / "olist_sellers_dataset.csv").write_bytes(content)
    extract = open_extract(path, tmp_path)
    result = stage(extract, tmp_path / "stage")
    judged = assess(list(extract.files), result.unreadable, result.checks, set_aside=result.set_aside)
    failed = {check.rule.name: check.failed for check in judged.checks if check.rule in FILE_RULES and check.failed}
    assert failed == {rule: 1}
    assert len(judged.reasons) == 1
    assert "sellers" in judged.reasons[0]


@pytest.mark.parametrize(
    ("harm", "rule", "failed"),
    [
        (set_cell("orders", "order_purchase_timestamp", "2026-03-02 23:59:59"), "placed_before_load", 0),
        (set_cell("orders", "order_purchase_timestamp", "2107-03-02 23:59:59"), "placed_before_load", 1),
        (set_cell("orders", "order_estimated_delivery_date", "2028-03-01 23:59:59"), "times_near_load", 0),
        (set_cell("orders", "order_estimated_delivery_date", "9999-12-31 00:00:00"), "times_near_load", 1),
        (set_cell("order_reviews", "review_answer_timestamp", "2028-03-02"), "times_near_load", 1),
        (set_cell("sellers", "seller_city", "nan "), "texts_not_null_words", 0),
        (set_cell("sellers", "seller_city", "\\N"), "texts_not_null_words", 1),
        (set_cell("geolocation", "geolocation_city", "N/A"), "texts_not_null_words", 1),
        (set_cell("products", "product_category_name", "NULL"), "texts_not_null_words", 1),
    ],
)
def test_times_are_too_late_from_the_day_on_that_the_rule_says_and_words_for_nothing_are_whole_cells(
    tmp_path: Path, harm: Harm, rule: str, failed: int
) -> None:
    tables = a_good_extract()
    harm(tables)
    checks = {check.rule.name: check for check in staged(tmp_path, tables).checks}
    assert checks[rule].failed == failed


def test_every_rule_on_records_has_a_query_and_an_extract_that_breaks_it() -> None:
    on_records = {rule.name for rule in RULES if rule.severity is not Severity.CRITICAL}
    assert set(queries()) == on_records
    by_other_tests = {"statuses_go_up", "orders_keep_customer", "aliases_keep_person", "records_well_formed"}
    by_other_tests |= {"records_still_there"}
    assert set(HARMS) | set(UNKNOWN) | by_other_tests == on_records


def test_a_source_is_held_against_its_own_words_and_not_against_what_is_off(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["order_payments"][0]["payment_type"] = "pix"
    tables["customers"][0]["customer_state"] = "Lisboa"
    tables["products"][0]["product_category_name"] = "pc_gamer"
    off = frozenset({"categories_translated"})
    expected = Expected(off=off, methods=("pix", "boleto"), states=("SP", "Lisboa"))
    result = staged_of(tmp_path, tables, expected)
    others = sum(row["payment_type"] not in expected.methods for row in tables["order_payments"])
    places = [row for file in ("customers", "sellers", "geolocation") for row in tables[file]]
    elsewhere = sum(row[name] not in expected.states for row in places for name in row if name.endswith("_state"))
    failed = {check.rule.name: check.failed for check in result.checks}
    assert (failed["payment_methods_known"], failed["states_known"]) == (others, elsewhere)
    assert set(failed) & off == set()


@pytest.mark.parametrize(
    ("file", "rules"),
    [
        ("order_items", {"orders_have_lines", "items_have_product", "items_have_seller", "prices_positive"}),
        ("order_payments", {"orders_have_payments", "payments_positive", "payments_match_total"}),
        ("categories", {"categories_translated"}),
        ("geolocation", {"zip_prefixes_sampled", "samples_inside_brazil", "prefixes_in_one_state"}),
    ],
)
def test_what_an_absent_file_would_tell_is_not_checked(tmp_path: Path, file: str, rules: set[str]) -> None:
    tables = a_good_extract()
    del tables[file]
    checks = {check.rule.name: check for check in staged(tmp_path, tables).checks}
    assert {rule: (checks[rule].checked, checks[rule].failed) for rule in rules} == dict.fromkeys(rules, (0, 0))


def test_what_the_log_knows_counts_as_there(tmp_path: Path) -> None:
    tables = a_good_extract()
    for file in ("customers", "products", "sellers", "categories"):
        tables[file] = []
    known = {
        "fingerprints": f"file,key,fingerprint\nproducts,{an_id('product', 1)},{NOBODY}\n",
        "orders": "order_id,customer_alias,status,placed_at,sellers\n"
        + "".join(
            f"{an_id('order', number)},{an_id('alias', number)},created,2018-01-01 10:00:00,\n" for number in (1, 2, 3)
        ),
        "aliases": "customer_alias,customer_id\n"
        + "".join(f"{an_id('alias', number)},{an_id('person', number)}\n" for number in (1, 2, 3)),
        "sellers": f"seller_id,zip_prefix\n{an_id('seller', 1)},01001\n",
    }
    checks = {check.rule.name: check for check in staged(tmp_path, tables, known).checks}
    for rule in ("orders_have_customer", "items_have_product", "items_have_seller"):
        assert (checks[rule].checked, checks[rule].failed) == (3, 0)


def test_names_of_cities_may_have_accents_hyphens_and_apostrophes(tmp_path: Path) -> None:
    tables = a_good_extract()
    for name in ("são joão d'aliança", "embu-guaçu", "sta. bárbara d´oeste", "Olho-d'Água do Borges"):
        tables["sellers"].append(seller(len(tables["sellers"]) + 1, seller_city=name))
    checks = {check.rule.name: check for check in staged(tmp_path, tables).checks}
    assert checks["cities_plain"].failed == 0


def test_a_translation_is_found_whatever_else_is_translated(tmp_path: Path) -> None:
    tables = a_good_extract()
    tables["categories"].append(category("brinquedos", "toys"))
    tables["geolocation"].append(sample(geolocation_zip_code_prefix="1002"))
    checks = {check.rule.name: check for check in staged(tmp_path, tables).checks}
    assert checks["categories_translated"].failed == 0
