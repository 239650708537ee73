"""Deliveries to other servers: the queue, the endpoints and their keys."""
