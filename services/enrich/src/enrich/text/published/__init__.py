"""What `updates.enriched` says was published. The log is the truth; rows follow it, and recovery adopts what they lack."""
