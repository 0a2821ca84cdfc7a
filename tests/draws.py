"""How much is drawn at random: the one switch between the quick suite and the whole one.

`make test` runs every test at the quick size; `make test-all` sets `DQ_TEST_DRAWS=full`, run once before an issue is
called resolved. Both sizes run the same tests with the same assertions, so that the quick one protects the same
behaviours and the full one searches longer for what it has missed:

======================  =====================================================  ================  =====
name                    what is drawn                                          quick             full
======================  =====================================================  ================  =====
`MUTATION_BATCHES`      rebuilds from changed cells, most cells first          3                 all
`PROOFS`                figures of the demonstration whose proof is checked    200               1,000
`BYTES`                 bytes of a proof changed in two ways: one in           5                 1
`KILLS`                 promotions killed at a random instant                  8                 24
`RANDOM_MIXES`          pairs of releases with random changes, compared        12                250
======================  =====================================================  ================  =====

Which are drawn is fixed by seeds in the tests themselves, and by hypothesis's profiles: `repeated` (the same examples
at each run, the default) and `search` (`HYPOTHESIS_PROFILE=search`, new ones). Properties try the same number of
examples at both sizes: together they cost seconds.
"""

from __future__ import annotations

import os

FULL = os.environ.get("DQ_TEST_DRAWS", "quick") == "full"

MUTATION_BATCHES: int | None = None if FULL else 3
PROOFS = 1000 if FULL else 200
BYTES = 1 if FULL else 5
KILLS = 24 if FULL else 8
RANDOM_MIXES = 250 if FULL else 12
