"""`python -m dagster_project.commands`: the `dq` command of this checkout, whatever is installed."""

from dagster_project.commands.app import main

main()
