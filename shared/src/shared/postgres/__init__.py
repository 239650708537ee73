"""Postgres: the pool, dedicated connections, migrations, and queues of leased rows."""
