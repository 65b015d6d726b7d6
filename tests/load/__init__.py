"""The working morning of `make load` (scripts/load.py): who is there, what they do, what must be true.

`python -m tests.load.cast FILE` signs people in and writes down what they will look at;
tests/load/people.py is what locust runs; `python -m tests.load.verify FILE` looks afterwards.
"""
