"""Column lineage: for each column of each model, the columns that give its value and those that decide its rows.

    compiled SQL ─ prepare ─▶ names spelt out ─ reader ─▶ edges of one model ─ graph ─▶ producers' columns ─▶ page

A *value* edge leads to a column that an expression reads. A *condition* edge leads to a column that decides which rows
there are or how they are grouped and ordered: join, filter, group, window, distinct, subquery. Both are needed to say
that nothing else can change a column, and tests hold that by changing everything else.
"""
