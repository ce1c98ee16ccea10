/** Marks the file as a TracSeq journal ("TsqJ"). */
export const JOURNAL_APPLICATION_ID = 0x5473_714a

export const JOURNAL_SCHEMA_VERSION = 1

/**
 * Entries are never changed or deleted; a payload may be removed, its hash stays. Triggers say so to every program that
 * opens the file. The index `journal_entry_audit` covers all audit filters and grows at its right edge only, so it costs
 * an append almost nothing.
 */
export const JOURNAL_SCHEMA = `
CREATE TABLE journal_meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_entry (
  sequence            INTEGER PRIMARY KEY,
  kind                TEXT NOT NULL,
  domain              TEXT NOT NULL,
  domain_sequence     INTEGER NOT NULL,
  change_set_id       TEXT NOT NULL,
  origin              TEXT NOT NULL,
  actor_id            TEXT NOT NULL,
  workstation_id      TEXT NOT NULL,
  hybrid_logical_time TEXT NOT NULL,
  reason              TEXT,
  correlation_id      TEXT NOT NULL,
  recorded_at         TEXT NOT NULL,
  event_names         TEXT NOT NULL,
  payload_hash        BLOB NOT NULL,
  hash                BLOB NOT NULL,
  payload             TEXT
) STRICT;
CREATE UNIQUE INDEX journal_entry_domain ON journal_entry (domain, domain_sequence);
CREATE INDEX journal_entry_domain_order ON journal_entry (domain, sequence);
CREATE INDEX journal_entry_change_set ON journal_entry (change_set_id);
CREATE INDEX journal_entry_correlation ON journal_entry (correlation_id);
CREATE INDEX journal_entry_audit ON journal_entry (sequence, domain, actor_id, recorded_at, reason);

CREATE TRIGGER journal_entry_is_never_deleted BEFORE DELETE ON journal_entry
BEGIN SELECT RAISE(ABORT, 'journal entries are never deleted'); END;
CREATE TRIGGER journal_entry_is_never_changed BEFORE UPDATE ON journal_entry
WHEN NEW.payload IS NOT NULL OR NEW.sequence <> OLD.sequence OR NEW.kind <> OLD.kind OR NEW.domain <> OLD.domain
  OR NEW.domain_sequence <> OLD.domain_sequence OR NEW.change_set_id <> OLD.change_set_id OR NEW.origin <> OLD.origin
  OR NEW.actor_id <> OLD.actor_id OR NEW.workstation_id <> OLD.workstation_id
  OR NEW.hybrid_logical_time <> OLD.hybrid_logical_time OR NEW.reason IS NOT OLD.reason
  OR NEW.correlation_id <> OLD.correlation_id OR NEW.recorded_at <> OLD.recorded_at
  OR NEW.event_names <> OLD.event_names OR NEW.payload_hash <> OLD.payload_hash OR NEW.hash <> OLD.hash
BEGIN SELECT RAISE(ABORT, 'journal entries are never changed'); END;

CREATE TABLE journal_event (
  name     TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  domain   TEXT NOT NULL,
  PRIMARY KEY (name, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_checkpoint (
  sequence        INTEGER PRIMARY KEY,
  hash            BLOB NOT NULL,
  public_key      TEXT NOT NULL,
  key_fingerprint TEXT NOT NULL,
  signature       TEXT NOT NULL,
  signed_at       TEXT NOT NULL
) STRICT;

CREATE TABLE journal_epoch (
  number              INTEGER PRIMARY KEY,
  started_at_sequence INTEGER NOT NULL,
  started_at          TEXT NOT NULL,
  reason              TEXT NOT NULL,
  gaps                TEXT NOT NULL
) STRICT;

CREATE TABLE journal_scan (
  scan_id        TEXT PRIMARY KEY,
  text           TEXT NOT NULL,
  source         TEXT NOT NULL,
  device_id      TEXT,
  received_at    TEXT NOT NULL,
  screen         TEXT NOT NULL,
  state          TEXT NOT NULL,
  settled_at     TEXT,
  correlation_id TEXT,
  summary        TEXT
) STRICT;
CREATE INDEX journal_scan_state ON journal_scan (state, received_at);
CREATE INDEX journal_scan_received ON journal_scan (received_at);
`

export const JOURNAL_TABLES = [
  'journal_meta',
  'journal_entry',
  'journal_event',
  'journal_checkpoint',
  'journal_epoch',
  'journal_scan',
] as const
