"""A version that is yet to come: more migrations, for the test that upgrades under load."""
