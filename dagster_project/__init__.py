"""Data & Quartiers: trustworthy figures on France's priority neighbourhoods (QPV)."""
