"""Travel times: roads and public transport."""
