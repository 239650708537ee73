"""One module for each step of enrichment. A step is a function of its input and of data in memory; what it needs from
elsewhere is handed to it. Its budget and what it degrades to are in the service's README."""
