"""What a release changes from another one, figure by figure, each change attributed to its cause.

    tables ─▶ changes (which figures) ─▶ pairs (what differs in their inputs, and by which cause)
           ─▶ states (the figure recomputed as causes are substituted one after the other) ─▶ attribution

Two release folders are enough: no archive, no warehouse, no code of the time.
"""
