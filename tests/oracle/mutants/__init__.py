"""The mutation gate: small, realistic bugs, each of which a check that it names must see.

A mutant is an entry of a TOML file here: `name`, `models` (the bug that it stands for), `check` (pytest arguments), `file`, `old` (text
that is there once) and `new`. `servers = true`: the check needs Kafka, Postgres and Redis. `explained`: why it may survive.
"""
