"""The publish monitor: whether what was published has come out, at each place where readers get it.

Real publishes are watched, and no made-up ones: a canary would be a place in the log, a row in the archive and an event on
streams that each reader would have to be kept from, at every place for ever.
"""
