"""Statistical models: pure functions, numpy and Arrow tables in, Arrow tables out.

Nothing here reads a file, a setting or the warehouse; the same inputs and seed give the same tables. Entry points are
`standardisation.icm`, `vulnerabilite.indices`, `claim_test.judge` and `nonrecours.estimate.non_recours`. Each model
has its card in `docs/modeles`.
"""
