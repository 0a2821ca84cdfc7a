"""Non-take-up of the complémentaire santé solidaire (C2S): models from Arrow tables to Arrow tables."""
