"""Takes copy in from wires, feeds and desks and puts it on `updates.raw`."""
