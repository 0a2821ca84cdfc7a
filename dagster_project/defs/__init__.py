"""What Dagster sees, one concept a module. Work is done elsewhere; here it is named, ordered and shown."""

OWNER = "team:data-et-quartiers"
