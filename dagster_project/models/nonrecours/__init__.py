"""Non-take-up of the Complémentaire santé solidaire (C2S): two estimates of who is eligible, and what they say.

Entry point: `estimate.non_recours`. Model card: `docs/modeles/non-recours-c2s.md`.
"""
