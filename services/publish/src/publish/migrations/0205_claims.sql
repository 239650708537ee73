-- The queue is read endpoint by endpoint, in the order in which deliveries are due: see CLAIM in publish/push/deliveries.py.

CREATE INDEX deliveries_due_of_an_endpoint ON publish.deliveries (endpoint_id, next_attempt_at, id) WHERE state = 'waiting';
DROP INDEX publish.deliveries_due;
