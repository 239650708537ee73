-- Whether a removal waits for an endpoint: it is then tried again soon.
CREATE INDEX IF NOT EXISTS deliveries_removals ON publish.deliveries (endpoint_id) WHERE state = 'waiting' AND type = 'update.kill';
