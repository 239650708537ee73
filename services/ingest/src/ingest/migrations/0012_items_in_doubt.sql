-- What Kafka may have without having acknowledged it to us: few rows, which are asked for beside the newest of an update.
CREATE INDEX items_in_doubt ON ingest.items (update_id) WHERE emitted_at IS NULL;
