-- An alert that cannot leave yet is looked at again a little later, so that those behind it are looked at meanwhile.
ALTER TABLE publish.alerts ADD COLUMN look_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN publish.alerts.look_at IS 'when its release is tried next';
