"""Travel times: pure computation on networks; nothing here reads a setting or the warehouse."""
