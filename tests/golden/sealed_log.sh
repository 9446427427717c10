#!/bin/sh
# Made tests/golden/sealed_log, once: what it holds stays, and is read and verified by a test for ever. Another format
# gets a folder of its own. Run in an empty folder, with the program on the path and REPLAYHOUSE_HOME in that folder.
set -eu
for until in 2017-06-30 2018-03-31 2018-12-31; do
    replayhouse generate "$until" --orders 120 --seed 11 --until "$until"
    replayhouse ingest "$until"
    replayhouse log seal sealed_log
done
customer=$(replayhouse db psql -Atc "SELECT max(customer_id::text) FROM customer.dim_customer WHERE zip_prefix IS NOT NULL")
replayhouse customer erase "$customer" --reason "made for a test" --yes
replayhouse log seal sealed_log
replayhouse audit keygen
replayhouse audit checkpoint sealed_log.checkpoint
replayhouse db stop
