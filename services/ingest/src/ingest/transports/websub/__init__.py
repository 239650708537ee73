"""WebSub (W3C Recommendation, 2018), as a subscriber: a hub sends what a feed publishes at once.

`ingest poll` finds the hub in the feed, subscribes and renews; `ingest api` answers the hub's verification and takes what
it sends. The feed is polled all the same, more rarely, in case the hub falls silent. A subscription that is no longer
wanted is ended at the hub.
"""
