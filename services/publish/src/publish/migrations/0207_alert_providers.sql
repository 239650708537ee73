-- Which providers there are is the program's to say, so that a new one needs no migration.

ALTER TABLE publish.subscriptions DROP CONSTRAINT subscriptions_service_check;
