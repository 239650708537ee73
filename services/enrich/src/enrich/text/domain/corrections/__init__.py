"""A desk's corrections, and how they outlast what the source sends later."""
