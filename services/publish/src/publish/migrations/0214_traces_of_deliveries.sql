-- The W3C trace context that a revision came with, for the delivery's span and its receiver.
ALTER TABLE publish.deliveries ADD COLUMN IF NOT EXISTS traceparent text NOT NULL DEFAULT '';
