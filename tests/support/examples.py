"""One extract of examples worked out by hand: the numbers of orders and persons tell what they are examples of."""

from datetime import date

from tests.oracle.lines import PLACED, a_customer, a_payment, an_id, an_item, an_order, line
from tests.support.extracts import Lines, a_review

REGIONS = {
    "North": "AC AM AP PA RO RR TO",
    "Northeast": "AL BA CE MA PB PE PI RN SE",
    "Central-West": "DF GO MS MT",
    "Southeast": "ES MG RJ SP",
    "South": "PR RS SC",
    "unknown": "XX sp",
}
STATES = {state: region for region, states in REGIONS.items() for state in states.split()}
SELLER_OF_STATE = {state: number for number, state in enumerate(STATES, 0x5000)}

CITIES = {
    "São Paulo": "sao paulo",
    " rio\u00a0 de\tjaneiro ": "rio de janeiro",
    "mogi-guaçu / SP": "mogi-guacu / sp",
    "santa bárbara d´oeste 2": "santa barbara d´oeste 2",
    "1º de maio": "1º de maio",
    "a\x1cb\x0bc\x85d": "a\x1cb c d",  # Unicode's white space, which not all control characters are
}
SELLER_OF_CITY = {city: number for number, city in enumerate(CITIES, 0x5100)}

# When an order is delivered that was placed on 1 March at 10 and promised for 20 March, the days that took, rounded
# half away from zero, the days late, whether late by date, and whether past the promised time.
DELIVERIES = {
    11: ("2017-03-19 23:59:59", "18.58", 0, False, False),
    12: ("2017-03-20 00:00:00", "18.58", 0, False, False),
    13: ("2017-03-20 00:00:01", "18.58", 0, False, True),
    14: ("2017-03-21 00:00:00", "19.58", 1, True, True),
    15: ("2017-03-01 10:07:12", "0.01", 0, False, False),
    16: ("2017-03-01 10:07:11", "0.00", 0, False, False),
    17: ("2017-03-01 09:52:48", "-0.01", 0, False, False),
}

# Which times each status shows, and what it says of the delivery if all times are given, and if none is.
STATUSES = {
    21: ("created", (False, False, False), "planned", "planned"),
    22: ("approved", (True, False, False), "planned", "planned"),
    23: ("invoiced", (True, False, False), "planned", "planned"),
    24: ("processing", (True, False, False), "planned", "planned"),
    25: ("shipped", (True, True, False), "dispatched", "dispatched"),
    26: ("delivered", (True, True, True), "delivered", "delivered"),
    27: ("canceled", (True, True, False), "dispatched", "canceled"),
    28: ("unavailable", (True, True, False), "dispatched", "canceled"),
}
APPROVED, CARRIER, DELIVERED = "2017-03-02 00:00:00", "2017-03-04 10:00:00", "2017-03-05 10:00:00"

# The price of the one line, what was paid, and whether that pays the order.
PAID = {
    41: ("10.00", "9.99", False),
    42: ("10.00", "10.00", True),
    43: ("0.00", "0.00", False),
    44: (None, "0.01", True),
}

EVALUATION = date(2017, 8, 28)
"""180 days after 1 March: the date of the newest order."""

# Persons: how many delivered orders, the price of each, when placed, and the segment.
PERSONS = {
    0x1000: (1, "10.00", PLACED, "ONE_TIME"),
    0x1100: (1, "10.00", "2017-02-28 23:59:59", "CHURNED"),
    0x1200: (2, "10.00", PLACED, "REGULAR"),
    0x1300: (5, "900.00", PLACED, "REGULAR"),
    0x1400: (8, "125.00", PLACED, "LOYAL"),
    0x1500: (8, "125.01", PLACED, "VIP"),
    0x1600: (8, "125.01", "2017-02-28 00:00:00", "CHURNED"),
}

HOME, AWAY = ("11111", "Á  b", "RJ"), ("22222", "c", "BA")


def examples() -> Lines:
    orders, customers, items, payments = [], [], [], []
    for number, (delivered, *_) in DELIVERIES.items():
        orders.append(an_order(number, carrier=delivered, delivered=delivered))
    for number, (status, *_) in STATUSES.items():
        orders.append(an_order(number, status, approved=APPROVED, carrier=CARRIER, delivered=DELIVERED))
        orders.append(an_order(number + 10, status))
    for number, (price, paid, _) in PAID.items():
        orders.append(an_order(number, "created"))
        items += [an_item(number, 1, price)] if price else []
        payments.append(a_payment(number, 1, paid))
    for person, (purchases, price, placed, _) in PERSONS.items():
        for number in range(person, person + purchases):
            orders.append(an_order(number, placed=placed))
            customers.append(a_customer(100 + number, person))
            items.append(an_item(number, 1, price))
    orders.append(an_order(99, "created", placed=f"{EVALUATION} 00:00:00", promised="2017-09-20 00:00:00"))
    return {
        "orders": orders + ORDERS,
        "customers": customers + CUSTOMERS,
        "order_items": items + ITEMS,
        "order_payments": payments + PAYMENTS,
        "order_reviews": REVIEWS,
        "products": PRODUCTS,
        "sellers": [
            line(an_id(50), "4001", "x", "SP"),
            line(an_id(51), "5", "x", "SP"),
            *(line(an_id(number), "1", "x", state) for state, number in SELLER_OF_STATE.items()),
            *(line(an_id(number), "1", city, "SP") for city, number in SELLER_OF_CITY.items()),
        ],
        "categories": ["casa,home", "livros,books"],
        "geolocation": SAMPLES,
    }


# 51 has three lines of two sellers and three payments. 52 to 55 are of a person who moves away and back. 61 is
# delivered, nobody knows when; 62 is canceled after its delivery; 63 shows its times in an odd order. The person of 64
# has another alias, without an order.
ORDERS = [
    an_order(51, "canceled", placed="2017-03-31 23:59:59"),
    an_order(55, placed="2017-01-04 00:00:00"),
    an_order(52, placed="2017-01-02 00:00:00"),
    an_order(53, "canceled", placed="2017-01-05 00:00:00"),
    an_order(54, placed="2017-01-03 00:00:00"),
    an_order(61),
    an_order(62, "canceled", carrier=CARRIER, delivered=DELIVERED),
    an_order(64, "created"),
    an_order(63, approved="2017-03-05 00:00:00", carrier=CARRIER, delivered="2017-03-03 00:00:00"),
]
CUSTOMERS = [
    a_customer(151, 0x2000, *HOME),
    a_customer(152, 0x2001, *HOME),
    a_customer(153, 0x2001, *HOME),
    a_customer(154, 0x2001, *HOME),
    a_customer(155, 0x2001, *AWAY),
    line("8" + an_id(0)[1:], an_id(0x2002), "33333", "c", "BA"),
    line("7" + an_id(0)[1:], an_id(0x2002), "22222", "c", "BA"),
    a_customer(164, 0x2004, "55555"),
    a_customer(199999, 0x2004, "44444"),
    *(a_customer(number, 0x2003, "99999") for number in (161, 162, 163)),
]
ITEMS = [
    an_item(51, 2, "10.10", "1.05", seller=51),
    an_item(51, 1, "5.00", "0.00", seller=50),
    an_item(51, 3, "0.85", "0", seller=51),
    an_item(52, 1, "10.00", "0.01", seller=0x9999),
    an_item(52, 2, seller=50),
    an_item(63, 1, "10.01"),
]
PAYMENTS = [
    a_payment(51, 4, "8.50", "voucher", 3),
    a_payment(51, 3, "8.50", "boleto", 1),
    a_payment(51, 2, "0.00", "debit_card", 9),
    a_payment(63, 1, "1.00", installments=0),
]
REVIEWS = [
    a_review(1, 51, 4, created="2017-04-01 23:59:59", answered="2017-04-02 00:00:17"),  # 18 s: 0.005 hours
    a_review(1, 52, 3, created="2017-04-01 00:00:00", answered="2017-03-31 23:59:42"),
    a_review(2, 51, 2, answered=""),
]
PRODUCTS = [
    line(an_id(1), "casa", 40, 500, 2, 0, 20, 10, 3),
    line(an_id(2), "pc_gamer", 1, 2, 3, 4, 20, "", 3),
    line(an_id(3), *[""] * 8),
]
SAMPLES = [
    "1001,-23.5,-46.1,sao paulo,SP",
    "01001,-23.1,-46.4,são paulo,RJ",
    "01001,-23.4,-46.2,são paulo,SP",
    "01001,-23.1,-46.3,sao paulo,RJ",
    "01001,45.0,-46.3,sao paulo,RJ",  # outside: counts for nothing
    "69900,5.28,-74.00,rio branco,AC",
    "69900,-33.76,-28.84,rio branco,AC",
    "69900,0,-30,Acre,AC",
    "90000,5.29,-50.0,nowhere,RS",
    "90000,0.0,-28.83,nowhere,RS",
    "80000,-25.0,-49.0,Zona,PR",  # by code point: capitals, small letters, accents
    "80000,-25.0,-49.0,abelha,PR",
    "80000,-25.0,-49.0,árvore,PR",
]
