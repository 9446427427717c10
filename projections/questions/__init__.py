"""The hundred business questions, each a file `NNN_slug.sql` in this folder: what it says of itself, and its SQL.

One reader serves the command line, Python, pages and documentation: see `replayhouse.projections.questions.question`.
"""

from replayhouse.projections.questions.question import Column, Parameter, Question, question, questions

__all__ = ["Column", "Parameter", "Question", "question", "questions"]
