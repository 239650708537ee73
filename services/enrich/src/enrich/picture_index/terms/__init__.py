"""Usage terms in the language of wires: what may be shown, where, from when on, and who is to be credited. Pure."""
