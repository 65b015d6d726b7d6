from alliance.models.agreement import Agreement, Clause, Fulfilment, Party

__all__ = ["Agreement", "Clause", "Fulfilment", "Party"]
