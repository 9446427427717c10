"""The contracts of what goes out on Kafka: schemas, AsyncAPI document, typed models, and the gate that guards them.

All of it is made from the event classes by `make contracts` and checked in; `make check` holds it against them.
"""
