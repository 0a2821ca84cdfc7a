"""What Dagster sees, one concept a module. Work is done elsewhere; here it is named, ordered and shown.

Modules whose functions take a Dagster context do without `from __future__ import annotations`: Dagster checks the
type of that parameter, and cannot when it is text.
"""

OWNER = "team:data-et-quartiers"
