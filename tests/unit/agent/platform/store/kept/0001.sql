BEGIN TRANSACTION;
CREATE TABLE activity (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at DATETIME NOT NULL, 
	caller TEXT NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	target TEXT, 
	outcome VARCHAR(16), 
	code VARCHAR(32), 
	message TEXT, 
	job_id VARCHAR(32)
);
INSERT INTO "activity" VALUES(1,'2026-11-20 18:30:00.000000','home-assistant','container.stop','media:player:1','done',NULL,NULL,'019a9f00000070008000000000000001');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE job (
	id VARCHAR(32) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	target TEXT NOT NULL, 
	caller TEXT NOT NULL, 
	arguments JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	outcome VARCHAR(16), 
	message TEXT, 
	error JSON, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	CONSTRAINT pk_job PRIMARY KEY (id)
);
INSERT INTO "job" VALUES('019a9f00000070008000000000000001','container.stop','media:player:1','home-assistant','{"timeout_s": null}','finished','done',NULL,NULL,'2026-11-20 18:30:00.000000','2026-11-20 18:30:00.000000');
CREATE TABLE job_step (
	job_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	needed BOOLEAN NOT NULL, 
	data JSON NOT NULL, 
	CONSTRAINT pk_job_step PRIMARY KEY (job_id, position), 
	CONSTRAINT fk_job_step_job_id FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE CASCADE
);
INSERT INTO "job_step" VALUES('019a9f00000070008000000000000001',0,'stop','done',1,'{}');
CREATE TABLE meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('instance_id','0f8e3b6a5c1d4e7f9a2b3c4d5e6f7081');
CREATE TABLE token (
	id VARCHAR(16) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	scope VARCHAR(16) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_token PRIMARY KEY (id), 
	CONSTRAINT uq_token_name UNIQUE (name)
);
INSERT INTO "token" VALUES('5be1a0c7','home-assistant','operate','0000000000000000000000000000000000000000000000000000000000000000','2026-11-20 18:30:00.000000');
CREATE INDEX ix_activity_target ON activity (target);
CREATE INDEX ix_activity_at ON activity (at);
CREATE INDEX ix_job_created_at ON job (created_at);
CREATE UNIQUE INDEX uq_job_running_target ON job (target) WHERE state != 'finished';
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('activity',1);
COMMIT;
