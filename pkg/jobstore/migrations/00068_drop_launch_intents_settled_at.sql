-- +goose NO TRANSACTION

-- Nobody reads when a launch was settled, or lists launches by time.

-- +goose Up
ALTER TABLE launch_intents DROP COLUMN settled_at, DROP KEY launch_intents_by_time;

-- +goose Down
ALTER TABLE launch_intents ADD COLUMN settled_at DATETIME(6) NULL AFTER answered_at, ADD KEY launch_intents_by_time (created_at);
