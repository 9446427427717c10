"""The whole warehouse: the projection of every context."""

from projections import customer, fulfillment, marketplace, quality, sales
from projections.projection import Projection

PROJECTIONS: dict[str, Projection] = {
    module.PROJECTION.context: module.PROJECTION for module in (sales, fulfillment, customer, marketplace, quality)
}
"""By context, in the order in which reports name them."""
