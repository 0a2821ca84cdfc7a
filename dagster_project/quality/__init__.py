"""Quality: what a raw table or a mart must look like, checked with Great Expectations, and the report of it.

Suites are hand-written (`expectations/*.json`), never written back. Keys, relations and contracts of marts are dbt
tests; the presence of columns and the size of files are catalogue validations. What stays here: formats of codes and
numbers, coherence within a row, distributions.
"""
