"""What the adapter for Dagster knows of the program without asking it: the tables that are folded, and the rules
of a load of the nine files.
"""

import json

from replayhouse.domain.quality.rules import RULES, RULES_OF_MAPPINGS
from replayhouse.projections.warehouse import PROJECTIONS


def warehouse_file() -> str:
    """The file of its package, as JSON: by context each table with its meaning; the rules, as they are reported."""
    tables = {
        context: {table.name: f"{table.comment}." for table in projection.tables}
        for context, projection in PROJECTIONS.items()
    }
    rules = [
        {"name": rule.name, "sentence": rule.sentence, "dimension": rule.dimension, "severity": rule.severity}
        for rule in RULES
        if rule.name not in RULES_OF_MAPPINGS
    ]
    return json.dumps({"tables": tables, "rules": rules}, indent=2, ensure_ascii=False) + "\n"
