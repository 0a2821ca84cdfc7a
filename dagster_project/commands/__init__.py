"""The `dq` command, one module a family of commands. Heavy imports wait inside them: `dq --help` answers at once."""
