"""Clients of the APIs that hand over a table by requests and pages, not as one file at one address."""
