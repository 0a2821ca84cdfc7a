"""Take-up of the C2S by household profile, from a partner's counts under a convention.

Entry point: `model.profils`. Model card: `docs/modeles/non-recours-profils.md`.
"""
