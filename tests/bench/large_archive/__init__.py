"""An archive as a newsroom has it after years: what is in it, how it is filled, and what is asked of it."""
