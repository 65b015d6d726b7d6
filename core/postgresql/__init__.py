"""Django's backend for PostgreSQL, at home behind a pool that lends connections by transaction."""
