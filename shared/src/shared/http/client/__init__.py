"""The HTTP client for addresses that others gave us: which addresses, which limits, when to ask again."""
