"""Generated extracts: the same bytes for the same seed, valid, closed, and with the traps of the source."""

import re
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from replayhouse.domain.kernel.places import is_in_brazil
from replayhouse.infra.runtime.subprocesses import workers_without_data
from replayhouse.ingest.synthetic import generate
from replayhouse.ingest.synthetic.files import FILE_NAMES, HEADERS
from replayhouse.ingest.synthetic.towns import TOWNS
from tests.oracle.expected import FILES, expected
from tests.support.synthetic import ORDERS, SEED, Records, by_order, bytes_of, cents, records_of


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("extract")
    generate(directory, ORDERS, SEED)
    return directory


@pytest.fixture(scope="module")
def extract(directory: Path) -> Records:
    return records_of(directory)


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Records:
    directory = tmp_path_factory.mktemp("hundred")
    generate(directory, 100, SEED)
    return records_of(directory)


# The files


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    alone = generate(tmp_path / "alone", 2_500, SEED, workers=1)
    together = generate(tmp_path / "together", 2_500, SEED, workers=2, pool=workers_without_data)

    assert alone == together
    assert bytes_of(tmp_path / "alone") == bytes_of(tmp_path / "together")


def test_another_seed_gives_other_orders(tmp_path: Path, extract: Records) -> None:
    generate(tmp_path, ORDERS, SEED + 1)

    other = records_of(tmp_path)
    assert not {row["order_id"] for row in other["orders"]} & {row["order_id"] for row in extract["orders"]}
    assert not {row["customer_id"] for row in other["customers"]} & {row["customer_id"] for row in extract["customers"]}


def test_an_extract_is_exactly_nine_files_headed_as_in_the_source(directory: Path) -> None:
    assert {path.name for path in directory.iterdir()} == set(FILES.values())
    assert FILE_NAMES == FILES
    for file, name in FILES.items():
        assert (directory / name).read_bytes().startswith(HEADERS[file].encode() + b"\n")


def test_it_counts_the_records_of_each_file_and_not_the_lines(tmp_path: Path) -> None:
    counted = generate(tmp_path, 300, SEED)

    assert counted == {file: len(records) for file, records in records_of(tmp_path).items()}
    assert counted["orders"] == counted["customers"] == 300


@pytest.mark.parametrize("orders", [1, 10, 150, ORDERS])
def test_no_record_breaks_a_rule_for_reading(tmp_path: Path, orders: int) -> None:
    generate(tmp_path, orders, SEED)

    with expected(tmp_path) as oracle:
        for file in set(FILES) - {"geolocation"}:
            given = oracle.sql(f"SELECT count(*) FROM raw.{file}").fetchall()
            read = oracle.sql(f"SELECT count(*) FROM reading.{file}").fetchall()
            assert (file, given) == (file, read)


def test_every_sample_can_be_read(extract: Records) -> None:
    for row in extract["geolocation"]:
        assert re.fullmatch(r"\d{5}", row["geolocation_zip_code_prefix"])
        assert re.fullmatch(r"-?\d+\.\d+", row["geolocation_lat"])
        assert re.fullmatch(r"-?\d+\.\d+", row["geolocation_lng"])
        assert row["geolocation_city"]
        assert re.fullmatch("[A-Z]{2}", row["geolocation_state"])


def test_whatever_a_record_refers_to_is_there(extract: Records) -> None:
    orders = {row["order_id"] for row in extract["orders"]}
    products = {row["product_id"] for row in extract["products"]}
    sellers = {row["seller_id"] for row in extract["sellers"]}

    assert {row["customer_id"] for row in extract["orders"]} == {row["customer_id"] for row in extract["customers"]}
    for file in ("order_items", "order_payments", "order_reviews"):
        assert {row["order_id"] for row in extract[file]} <= orders
    assert {row["product_id"] for row in extract["order_items"]} <= products
    assert {row["seller_id"] for row in extract["order_items"]} <= sellers


def test_an_earlier_extract_in_the_same_place_is_overwritten(tmp_path: Path) -> None:
    generate(tmp_path, 200, SEED)
    generate(tmp_path, 20, SEED)

    assert len(records_of(tmp_path)["orders"]) == 20


@pytest.mark.parametrize(("orders", "workers"), [(0, 1), (10, 0), (-5, 2)])
def test_an_extract_without_orders_or_workers_is_refused(tmp_path: Path, orders: int, workers: int) -> None:
    with pytest.raises(ValueError, match="at least 1 order and 1 worker"):
        generate(tmp_path, orders, SEED, workers=workers)


# Orders


def test_a_hundred_orders_already_have_all_eight_statuses(hundred: Records) -> None:
    assert {row["order_status"] for row in hundred["orders"]} == {
        "created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable",
    }  # fmt: skip


def test_a_hundred_orders_reach_from_the_first_day_to_the_last(hundred: Records) -> None:
    days = [row["order_purchase_timestamp"][:10] for row in hundred["orders"]]

    assert (min(days), max(days)) == ("2016-09-04", "2018-10-17")


def test_orders_are_late_on_the_promised_day_and_never_delivered(extract: Records) -> None:
    delivered = [row for row in extract["orders"] if row["order_status"] == "delivered"]
    timed = [row for row in delivered if row["order_delivered_customer_date"]]
    late = [r for r in timed if r["order_delivered_customer_date"][:10] > r["order_estimated_delivery_date"][:10]]
    past = [r for r in timed if r["order_delivered_customer_date"] > r["order_estimated_delivery_date"]]

    assert 0.04 < len(late) / len(timed) < 0.12
    assert len(past) > len(late)
    assert any(row["order_status"] == "shipped" for row in extract["orders"])


def test_some_delivered_orders_lack_a_time(hundred: Records) -> None:
    delivered = [row for row in hundred["orders"] if row["order_status"] == "delivered"]

    for time in ("order_approved_at", "order_delivered_carrier_date", "order_delivered_customer_date"):
        assert any(not row[time] for row in delivered), time


def test_times_stand_in_odd_orders(hundred: Records) -> None:
    delivered = [row for row in hundred["orders"] if row["order_status"] == "delivered" and all(row.values())]

    assert any(row["order_delivered_carrier_date"] < row["order_approved_at"] for row in delivered)
    assert any(row["order_delivered_carrier_date"] < row["order_purchase_timestamp"] for row in delivered)
    assert any(row["order_delivered_customer_date"] < row["order_delivered_carrier_date"] for row in delivered)


def test_orders_are_canceled_before_approval_after_dispatch_and_after_delivery(hundred: Records) -> None:
    canceled = [row for row in hundred["orders"] if row["order_status"] == "canceled"]

    assert any(not row["order_approved_at"] for row in canceled)
    assert any(row["order_delivered_carrier_date"] and not row["order_delivered_customer_date"] for row in canceled)
    assert any(row["order_delivered_customer_date"] for row in canceled)


def test_every_promise_lies_after_the_purchase_at_midnight(extract: Records) -> None:
    for row in extract["orders"]:
        assert row["order_estimated_delivery_date"].endswith(" 00:00:00")
        assert row["order_estimated_delivery_date"] > row["order_purchase_timestamp"]


# Lines and payments


def test_some_orders_have_no_lines_and_some_have_many_of_several_sellers(hundred: Records) -> None:
    lines = by_order(hundred["order_items"])

    without = [row for row in hundred["orders"] if row["order_id"] not in lines]
    assert {"unavailable", "canceled", "created"} <= {row["order_status"] for row in without}
    assert max(len(of_order) for of_order in lines.values()) >= 10
    assert any(len({line["seller_id"] for line in of_order}) > 1 for of_order in lines.values())


def test_payments_come_in_parts_with_odd_numbers_installments_and_amounts(hundred: Records) -> None:
    payments = by_order(hundred["order_payments"])

    assert any(len(of_order) >= 3 for of_order in payments.values())
    assert any(len({payment["payment_type"] for payment in of_order}) > 1 for of_order in payments.values())
    assert any("1" not in {payment["payment_sequential"] for payment in of_order} for of_order in payments.values())
    assert any(payment["payment_installments"] == "0" for payment in hundred["order_payments"])
    assert any(payment["payment_value"] == "0.0" for payment in hundred["order_payments"])
    assert any(row["order_id"] not in payments for row in hundred["orders"])
    assert {payment["payment_type"] for payment in hundred["order_payments"]} == {
        "credit_card", "boleto", "debit_card", "voucher", "not_defined",
    }  # fmt: skip


def test_payments_mostly_make_the_total_but_some_fall_short_or_exceed_it(hundred: Records) -> None:
    payments = by_order(hundred["order_payments"])
    differences = Counter[int]()
    for order_id, lines in by_order(hundred["order_items"]).items():
        total = sum(cents(line["price"]) + cents(line["freight_value"]) for line in lines)
        paid = sum(cents(payment["payment_value"]) for payment in payments[order_id])
        differences[(paid > total) - (paid < total)] += 1

    assert differences[0] > 80
    assert differences[1] >= 1
    assert differences[-1] >= 2  # one short, one without any payment


def test_the_rows_of_an_order_need_not_stand_together(extract: Records) -> None:
    places = defaultdict(list)
    for place, payment in enumerate(extract["order_payments"]):
        places[payment["order_id"]].append(place)

    assert any(max(of_order) - min(of_order) >= len(of_order) for of_order in places.values())


def test_money_is_written_as_the_source_writes_it(extract: Records) -> None:
    amounts = {row[cell] for row in extract["order_items"] for cell in ("price", "freight_value")}
    amounts |= {row["payment_value"] for row in extract["order_payments"]}

    assert all(re.fullmatch(r"\d+\.(\d|\d[1-9])", amount) for amount in amounts)
    assert {len(amount.partition(".")[2]) for amount in amounts} == {1, 2}


# People


def purchases(extract: Records) -> dict[str, list[tuple[datetime, int]]]:
    totals = Counter[str]()
    for line in extract["order_items"]:
        totals[line["order_id"]] += cents(line["price"]) + cents(line["freight_value"])
    people = {row["customer_id"]: row["customer_unique_id"] for row in extract["customers"]}
    found: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for row in extract["orders"]:
        if row["order_status"] == "delivered":
            placed_at = datetime.fromisoformat(row["order_purchase_timestamp"])
            found[people[row["customer_id"]]].append((placed_at, totals[row["order_id"]]))
    return found


def test_a_hundred_orders_already_have_a_vip_and_a_loyal_customer(hundred: Records) -> None:
    end = max(datetime.fromisoformat(row["order_purchase_timestamp"]) for row in hundred["orders"])
    frequent = [
        sum(amount for _, amount in bought)
        for bought in purchases(hundred).values()
        if len(bought) > 5 and (end - max(placed_at for placed_at, _ in bought)).days <= 180
    ]

    assert min(frequent) <= 100_000 < max(frequent)


def test_people_come_back_under_several_aliases_and_addresses(hundred: Records) -> None:
    placed = {row["customer_id"]: row["order_purchase_timestamp"] for row in hundred["orders"]}
    visits: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in hundred["customers"]:
        visits[row["customer_unique_id"]].append((placed[row["customer_id"]], row["customer_zip_code_prefix"]))
    ways = [[prefix for _, prefix in sorted(visit)] for visit in visits.values()]

    assert len({row["customer_id"] for row in hundred["customers"]}) == 100
    assert any(len(way) == 3 and way[0] == way[2] != way[1] for way in ways)
    assert any(
        len(visit) == 2 and visit[0][0] == visit[1][0] and visit[0][1] != visit[1][1] for visit in visits.values()
    )
    assert any(len(visit) in range(2, 6) for visit in visits.values())


def test_most_people_buy_once(extract: Records) -> None:
    times = Counter(Counter(row["customer_unique_id"] for row in extract["customers"]).values())

    assert 0.9 < times[1] / times.total() < 0.99


def test_a_hundred_customers_already_spell_their_cities_in_several_ways(hundred: Records) -> None:
    spellings: dict[str, set[str]] = defaultdict(set)
    for row in hundred["customers"]:
        spellings[row["customer_unique_id"]].add(row["customer_city"])
    usual = {town.plain_name for town in TOWNS}

    assert any("/" in city for cities in spellings.values() for city in cities)
    assert any(cities & usual and cities - usual for cities in spellings.values()), "nobody changes the spelling"


def test_cities_are_spelt_in_several_ways(extract: Records) -> None:
    sellers = {row["seller_city"] for row in extract["sellers"]}
    samples = {row["geolocation_city"] for row in extract["geolocation"]}

    assert any(" / " in city for city in sellers)
    assert any(re.search(r"\w/\w", city) for city in sellers)
    assert {"sao paulo", "são paulo"} <= samples


# Reviews


def test_comments_hold_quotes_commas_blanks_and_both_kinds_of_line_ends(directory: Path, hundred: Records) -> None:
    comments = [row["review_comment_message"] for row in hundred["order_reviews"]]

    assert any("\r\n" in comment and re.search(r"[^\r]\n", comment) and '"' in comment for comment in comments)
    assert any(comment.startswith('"') for comment in comments)
    assert any(comment and not comment.strip() for comment in comments)
    assert not any(re.search(r"\r(?!\n)", comment) for comment in comments)
    for file in set(FILES) - {"order_reviews"}:
        assert b"\r" not in (directory / FILES[file]).read_bytes()


def test_a_review_id_appears_on_several_orders_and_an_order_has_several_reviews(hundred: Records) -> None:
    orders_of_review = Counter(row["review_id"] for row in hundred["order_reviews"])
    reviews_of_order = Counter(row["order_id"] for row in hundred["order_reviews"])

    assert max(orders_of_review.values()) == 3
    assert max(reviews_of_order.values()) == 3
    assert any(
        row["order_id"] not in reviews_of_order for row in hundred["orders"] if row["order_status"] == "delivered"
    )


def test_late_orders_are_reviewed_worse(extract: Records) -> None:
    late = {
        row["order_id"]
        for row in extract["orders"]
        if row["order_delivered_customer_date"] > row["order_estimated_delivery_date"].replace(" 00:", " 24:")
    }
    scores: dict[bool, list[int]] = {True: [], False: []}
    for review in extract["order_reviews"]:
        scores[review["order_id"] in late].append(int(review["review_score"]))

    assert sum(scores[True]) / len(scores[True]) < sum(scores[False]) / len(scores[False]) - 1


# Catalogue and places


def test_products_lack_categories_weights_and_translations(extract: Records) -> None:
    translated = {row["product_category_name"] for row in extract["categories"]}
    shown = {row["product_category_name"] for row in extract["products"]}

    assert len(translated) == len(extract["categories"]) == 71
    assert "" in shown
    assert shown - translated - {""} == {"pc_gamer", "portateis_cozinha_e_preparadores_de_alimentos"}
    assert any(row["product_weight_g"] == "0" for row in extract["products"])
    assert any(row["product_weight_g"] == "" for row in extract["products"])


def test_some_prefixes_are_a_tie_of_two_spellings_that_a_sample_abroad_would_break(extract: Records) -> None:
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    anywhere: dict[str, Counter[str]] = defaultdict(Counter)
    for row in extract["geolocation"]:
        prefix, city = row["geolocation_zip_code_prefix"], row["geolocation_city"]
        anywhere[prefix][city] += 1
        if is_in_brazil(float(row["geolocation_lat"]), float(row["geolocation_lng"])):
            inside[prefix][city] += 1

    def leaders(cities: Counter[str]) -> set[str]:
        return {city for city, count in cities.items() if count == max(cities.values())}

    tied = [prefix for prefix, cities in inside.items() if len(leaders(cities)) > 1]
    assert any(leaders(inside[prefix]) == leaders(anywhere[prefix]) for prefix in tied)
    assert any(leaders(anywhere[prefix]) == {max(leaders(inside[prefix]))} for prefix in tied)
    assert set(anywhere) - set(inside), "no prefix has all of its samples abroad"


def test_the_samples_of_a_prefix_lie_apart_and_some_are_repeated(extract: Records) -> None:
    prefixes = [row["geolocation_zip_code_prefix"] for row in extract["geolocation"]]
    runs = 1 + sum(before != after for before, after in pairwise(prefixes))

    assert runs > 2 * len(set(prefixes))
    assert max(Counter(tuple(row.values()) for row in extract["geolocation"]).values()) > 1


def test_some_customers_live_where_there_are_no_samples(extract: Records) -> None:
    sampled = {row["geolocation_zip_code_prefix"] for row in extract["geolocation"]}

    assert any(row["customer_zip_code_prefix"] not in sampled for row in extract["customers"])
