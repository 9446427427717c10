"""What erasing a person would do."""

from replayhouse.infra.application.site import Site
from replayhouse.infra.privacy.erasure_plan import ErasurePlan, plan
from replayhouse.infra.runtime.short_ids import read_id


def plan_erasure(site: Site, customer: str) -> ErasurePlan:
    """How much would be destroyed, counted and not told; nothing where there is nothing to erase."""
    person = read_id(customer)
    with site.database.connect("replayhouse customer erase", autocommit=True) as connection:
        return plan(connection, person)
