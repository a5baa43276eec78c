-- 7d7f4c5583471d9772cc96b2360052b61460df8050da7f2ee113a608b7b2563e
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE attempt (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	launch INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	boot_id VARCHAR NOT NULL, 
	requested_at BIGINT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	pid INTEGER, 
	exit_code INTEGER, 
	signal INTEGER, 
	outcome VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	CONSTRAINT attempt_launch UNIQUE (run_id, launch)
);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	task_id INTEGER, 
	run_id INTEGER, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE incident (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	task_id INTEGER NOT NULL, 
	fault VARCHAR NOT NULL, 
	since BIGINT NOT NULL, 
	count INTEGER NOT NULL, 
	last_at BIGINT NOT NULL, 
	run_id INTEGER, 
	first_run_id INTEGER, 
	detail VARCHAR NOT NULL, 
	opened_at BIGINT, 
	told_at BIGINT, 
	closed_at BIGINT, 
	acknowledged_at BIGINT, 
	acknowledged_by VARCHAR NOT NULL, 
	snoozed_until BIGINT, 
	CONSTRAINT incident_fault_known CHECK (fault IN ('failure', 'late', 'long', 'skipped', 'silent')), 
	FOREIGN KEY(task_id) REFERENCES task (id)
);
CREATE TABLE incident_event (
	id INTEGER NOT NULL, 
	incident_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	kind VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	run_id INTEGER, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(incident_id) REFERENCES incident (id)
);
CREATE TABLE news (
	id INTEGER NOT NULL, 
	task_id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	what VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	created_at BIGINT NOT NULL, 
	due_at BIGINT NOT NULL, 
	target VARCHAR NOT NULL, 
	alike VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	batch VARCHAR, 
	tries INTEGER NOT NULL, 
	error VARCHAR NOT NULL, 
	sent_at BIGINT, 
	task_id INTEGER, 
	incident_id INTEGER, 
	run_id INTEGER, 
	facts JSON NOT NULL, 
	CONSTRAINT outbox_status_known CHECK (status IN ('waiting', 'sending', 'sent', 'gave_up'))
);
CREATE TABLE revision (
	id INTEGER NOT NULL, 
	task_id INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	actor VARCHAR NOT NULL, 
	version INTEGER NOT NULL, 
	"before" JSON, 
	"after" JSON, 
	PRIMARY KEY (id), 
	FOREIGN KEY(task_id) REFERENCES task (id)
);
CREATE TABLE run (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	task_id INTEGER NOT NULL, 
	task_version INTEGER NOT NULL, 
	"trigger" VARCHAR NOT NULL, 
	scheduled_for BIGINT, 
	folded_until BIGINT, 
	folded_count INTEGER NOT NULL, 
	status VARCHAR NOT NULL, 
	reason VARCHAR, 
	detail VARCHAR NOT NULL, 
	priority INTEGER NOT NULL, 
	pool VARCHAR, 
	attempts INTEGER NOT NULL, 
	launches INTEGER NOT NULL, 
	queued_at BIGINT NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	retry_at BIGINT, 
	exit_code INTEGER, 
	signal INTEGER, 
	cpu_ms INTEGER, 
	max_rss INTEGER, 
	log_size INTEGER, 
	log_removed BOOLEAN DEFAULT '0' NOT NULL, 
	actor VARCHAR NOT NULL, 
	request_id VARCHAR, 
	beside BOOLEAN DEFAULT 0 NOT NULL, 
	spec JSON, 
	environment JSON, 
	CONSTRAINT run_reason_known CHECK ((reason = 'already_running' OR reason = 'queue_full' OR reason = 'deadline' OR reason = 'down' OR reason = 'paused' OR reason = 'replaced' OR reason = 'user' OR reason = 'setup' OR reason = 'host_restart' OR reason = 'engine_restart' OR reason = 'log_limit' OR reason = 'restored' OR reason = 'quiet' OR reason = 'archived')), 
	CONSTRAINT run_status_known CHECK ((status = 'queued' OR status = 'starting' OR status = 'running' OR status = 'retrying' OR status = 'success' OR status = 'failed' OR status = 'timeout' OR status = 'stopped' OR status = 'skipped' OR status = 'missed' OR status = 'lost' OR status = 'error')), 
	CONSTRAINT run_trigger_known CHECK (("trigger" = 'schedule' OR "trigger" = 'manual' OR "trigger" = 'catch_up' OR "trigger" = 'test')), 
	FOREIGN KEY(task_id) REFERENCES task (id), 
	CONSTRAINT run_request UNIQUE (request_id), 
	CONSTRAINT run_slot UNIQUE (task_id, scheduled_for)
);
CREATE TABLE session (
	"key" VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	opened_at BIGINT NOT NULL, 
	used_at BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE setting (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE task (
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	shell VARCHAR NOT NULL, 
	working_dir VARCHAR, 
	command JSON NOT NULL, 
	env JSON NOT NULL, 
	env_file VARCHAR, 
	user VARCHAR, 
	schedule JSON NOT NULL, 
	timezone VARCHAR, 
	active BOOLEAN NOT NULL, 
	overlap VARCHAR NOT NULL, 
	missed VARCHAR NOT NULL, 
	missed_limit INTEGER NOT NULL, 
	deadline BIGINT, 
	spread BIGINT NOT NULL, 
	timeout BIGINT, 
	stop_grace BIGINT NOT NULL, 
	max_retries INTEGER NOT NULL, 
	retry_delay BIGINT NOT NULL, 
	retry_backoff FLOAT NOT NULL, 
	retry_max_delay BIGINT, 
	success_codes JSON NOT NULL, 
	on_lost VARCHAR NOT NULL, 
	pool VARCHAR, 
	priority INTEGER NOT NULL, 
	tags JSON NOT NULL, 
	notify VARCHAR NOT NULL, 
	log_limit INTEGER NOT NULL, 
	keep INTEGER, 
	limits JSON NOT NULL, 
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	next_run_at BIGINT, 
	resolved VARCHAR NOT NULL, 
	zone_key VARCHAR NOT NULL, 
	version INTEGER NOT NULL, 
	origin VARCHAR NOT NULL, 
	entry_file VARCHAR, 
	entry_name VARCHAR, 
	entry_hash VARCHAR, 
	spec_hash VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	paused_at BIGINT, 
	paused_until BIGINT, 
	archived_at BIGINT, 
	tombstone BOOLEAN NOT NULL, 
	last_run_id INTEGER, 
	runs INTEGER NOT NULL, 
	successes INTEGER NOT NULL, 
	duration_ms INTEGER NOT NULL, 
	last_verdicts JSON NOT NULL, alarms JSON DEFAULT '"auto"' NOT NULL, quiet JSON DEFAULT '[]' NOT NULL, quiet_key VARCHAR DEFAULT '' NOT NULL, run_after_pause BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT task_missed_known CHECK (missed IN ('skip', 'once', 'all')), 
	CONSTRAINT task_notify_known CHECK (json_valid(notify)), 
	CONSTRAINT task_on_lost_known CHECK (on_lost IN ('mark', 'rerun')), 
	CONSTRAINT task_origin_known CHECK (origin IN ('file', 'screen', 'api')), 
	CONSTRAINT task_overlap_known CHECK (overlap IN ('skip', 'queue', 'replace', 'allow'))
);
CREATE TABLE user (
	name VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	password_hash VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	password_set_at BIGINT NOT NULL, 
	PRIMARY KEY (name), 
	CONSTRAINT user_role_known CHECK (role IN ('viewer', 'operator', 'admin'))
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX task_due ON task (next_run_at) WHERE next_run_at IS NOT NULL AND paused_at IS NULL AND archived_at IS NULL;
CREATE INDEX task_pause_end ON task (paused_until) WHERE paused_until IS NOT NULL;
CREATE UNIQUE INDEX task_name ON task (name) WHERE archived_at IS NULL;
CREATE INDEX revision_task ON revision (task_id, id);
CREATE INDEX run_finished ON run (finished_at, id);
CREATE INDEX run_status ON run (status, id);
CREATE INDEX run_task ON run (task_id, id);
CREATE INDEX run_queue ON run (priority DESC, id) WHERE status = 'queued';
CREATE INDEX task_silent ON task (id) WHERE instr(alarms, 'silent') > 0;
CREATE INDEX run_open ON run (task_id, id) WHERE (status = 'queued' OR status = 'starting' OR status = 'running' OR status = 'retrying');
CREATE UNIQUE INDEX incident_standing ON incident (task_id, fault) WHERE closed_at IS NULL;
CREATE INDEX incident_task ON incident (task_id, id);
CREATE INDEX incident_closed ON incident (closed_at, id);
CREATE INDEX incident_event_of ON incident_event (incident_id, id);
CREATE INDEX outbox_due ON outbox (due_at) WHERE status IN ('waiting', 'sending');
CREATE INDEX outbox_status ON outbox (status, id);
CREATE INDEX news_task ON news (task_id);
CREATE TRIGGER news_of_end_insert AFTER INSERT ON run WHEN NOT (NEW.status = 'queued' OR NEW.status = 'starting' OR NEW.status = 'running' OR NEW.status = 'retrying') AND ('queued' = 'queued' OR 'queued' = 'starting' OR 'queued' = 'running' OR 'queued' = 'retrying') AND NEW."trigger" <> 'test' AND (
    NEW.status = 'failed' OR NEW.status = 'timeout' OR NEW.status = 'error'
    OR NEW.status = 'lost' OR NEW.status = 'skipped' OR NEW.status = 'missed'
    OR NEW.reason = 'replaced'
    OR (SELECT notify NOT IN ('"failure"', '"never"') FROM task WHERE id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM incident WHERE task_id = NEW.task_id AND closed_at IS NULL)
    OR EXISTS (SELECT 1 FROM news WHERE task_id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM setting WHERE key = 'ping_all')
) BEGIN INSERT INTO news (task_id, run_id, what) VALUES (NEW.task_id, NEW.id, 'end'); END;
CREATE TRIGGER news_of_end_update AFTER UPDATE OF status ON run WHEN NOT (NEW.status = 'queued' OR NEW.status = 'starting' OR NEW.status = 'running' OR NEW.status = 'retrying') AND (OLD.status = 'queued' OR OLD.status = 'starting' OR OLD.status = 'running' OR OLD.status = 'retrying') AND NEW."trigger" <> 'test' AND (
    NEW.status = 'failed' OR NEW.status = 'timeout' OR NEW.status = 'error'
    OR NEW.status = 'lost' OR NEW.status = 'skipped' OR NEW.status = 'missed'
    OR NEW.reason = 'replaced'
    OR (SELECT notify NOT IN ('"failure"', '"never"') FROM task WHERE id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM incident WHERE task_id = NEW.task_id AND closed_at IS NULL)
    OR EXISTS (SELECT 1 FROM news WHERE task_id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM setting WHERE key = 'ping_all')
) BEGIN INSERT INTO news (task_id, run_id, what) VALUES (NEW.task_id, NEW.id, 'end'); END;
CREATE TRIGGER news_of_start BEFORE UPDATE OF status ON run WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL AND NEW."trigger" <> 'test' AND (SELECT instr(notify, '"ping"') FROM task WHERE id = NEW.task_id) + EXISTS (SELECT 1 FROM setting WHERE key = 'ping_all') > 0 BEGIN INSERT INTO news (task_id, run_id, what) VALUES (NEW.task_id, NEW.id, 'start'); END;
DELETE FROM "sqlite_sequence";
COMMIT;
