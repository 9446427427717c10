"""Answers to the business questions: computed from the marts, kept by what they follow from, and told in words."""
