-- What every domain database has beside its own tables: capture, outbox, repeats, subscriptions, sagas.

CREATE SCHEMA platform;

DO $$
BEGIN
  -- Roles belong to the cluster, and several domain databases may share one.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tracseq_service') THEN
    CREATE ROLE tracseq_service NOLOGIN NOBYPASSRLS;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA public, platform TO tracseq_service;

CREATE TABLE platform.migration (
  name text PRIMARY KEY,
  sha256 text NOT NULL,
  applied_at timestamptz(3) NOT NULL
);

CREATE TABLE platform.synced_table (
  table_name text PRIMARY KEY,
  policy text NOT NULL CHECK (policy IN
    ('immutable', 'append-only', 'movement', 'field-merge', 'reconcile', 'hub-only', 'local', 'derived'))
);

-- Rows live here only within their own transaction, so a crash may forget them.
CREATE UNLOGGED TABLE platform.capture (
  ordinal bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  change_set_id uuid NOT NULL,
  table_name text NOT NULL,
  operation text NOT NULL,
  key jsonb NOT NULL,
  replaces uuid,
  image jsonb NOT NULL
);

-- Change sets in the order they were committed, until the journal has them (and a while longer, for repair).
CREATE TABLE platform.outbox (
  sequence bigint PRIMARY KEY,
  kind text NOT NULL,
  change_set_id uuid NOT NULL,
  payload text NOT NULL
);

CREATE TABLE platform.journal_position (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  acknowledged_sequence bigint NOT NULL,
  acknowledged_hash text NOT NULL
);
INSERT INTO platform.journal_position VALUES (true, 0, '');

CREATE TABLE platform.idempotency (
  key text PRIMARY KEY,
  request_hash text NOT NULL,
  procedure text NOT NULL,
  answer text,
  change_set_id uuid,
  at timestamptz(3) NOT NULL
);

-- The hash of the entry a cursor stands at: numbers alone may mean other entries after a journal was made anew.
CREATE TABLE platform.subscriber_cursor (
  subscriber text PRIMARY KEY,
  journal_sequence bigint NOT NULL,
  journal_hash text NOT NULL
);

-- Work that spans domains. Its rows are captured like any other, so they survive the loss of the database.
CREATE TABLE platform.saga (
  laboratory_id uuid NOT NULL,
  id uuid NOT NULL,
  revision uuid NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  step text,
  input jsonb NOT NULL,
  outputs jsonb NOT NULL,
  actor jsonb NOT NULL,
  correlation_id text NOT NULL,
  idempotency_key text NOT NULL,
  error text,
  started_at timestamptz(3) NOT NULL,
  updated_at timestamptz(3) NOT NULL,
  PRIMARY KEY (laboratory_id, id)
);
CREATE INDEX saga_open ON platform.saga (state) WHERE state NOT IN ('completed', 'compensated', 'cancelled');
CREATE INDEX saga_by_key ON platform.saga (laboratory_id, idempotency_key);

-- Text of every value, so that no driver can round a number on the way.
CREATE FUNCTION platform.text_image(image jsonb, left_out text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT coalesce(jsonb_object_agg(key, CASE jsonb_typeof(value) WHEN 'null' THEN value ELSE to_jsonb(value #>> '{}') END), '{}'::jsonb)
  FROM jsonb_each(image) WHERE key <> ALL (left_out)
$$;

CREATE FUNCTION platform.stamp_revision() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  change_set text := current_setting('tracseq.change_set_id', true);
BEGIN
  IF coalesce(change_set, '') = '' THEN
    RAISE EXCEPTION 'a write to % came without a change set', TG_TABLE_NAME USING ERRCODE = 'TS001';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id <> OLD.id OR NEW.laboratory_id <> OLD.laboratory_id THEN
      RAISE EXCEPTION 'the key of a row of % may not change', TG_TABLE_NAME USING ERRCODE = 'TS002';
    END IF;
  END IF;
  NEW.revision := change_set::uuid;
  RETURN NEW;
END
$$;

-- One function for all tables. Its arguments are the columns left out (generated ones).
CREATE FUNCTION platform.capture_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET bytea_output = 'hex'
AS $$
DECLARE
  left_out text[] := coalesce(TG_ARGV, '{}'::text[]);
  after_image jsonb := platform.text_image(to_jsonb(NEW), left_out);
  before_image jsonb;
  replaced uuid;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    before_image := platform.text_image(to_jsonb(OLD), left_out);
    replaced := OLD.revision;
    SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb) INTO after_image
    FROM jsonb_each(after_image) WHERE value IS DISTINCT FROM before_image -> key AND key <> 'revision';
  END IF;
  INSERT INTO platform.capture (change_set_id, table_name, operation, key, replaces, image)
  VALUES (
    NEW.revision,
    CASE TG_TABLE_SCHEMA WHEN 'public' THEN TG_TABLE_NAME ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END,
    lower(TG_OP),
    jsonb_build_object('laboratory_id', NEW.laboratory_id, 'id', NEW.id),
    replaced,
    after_image
  );
  RETURN NULL;
END
$$;

CREATE FUNCTION platform.refuse_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'TS003';
END
$$;

-- Puts a table under capture and row-level security, as its policy says. Idempotent.
CREATE FUNCTION platform.protect_table(target regclass, table_policy text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  generated text;
  named text := target::text;
BEGIN
  INSERT INTO platform.synced_table VALUES (named, table_policy)
  ON CONFLICT (table_name) DO UPDATE SET policy = excluded.policy;
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO tracseq_service', target);
  -- Only a local table may do without a laboratory: it belongs to the workstation itself.
  IF table_policy <> 'local' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'laboratory_id' AND NOT attisdropped
  ) THEN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('DROP POLICY IF EXISTS own_laboratory ON %s', target);
    EXECUTE format(
      'CREATE POLICY own_laboratory ON %s USING (laboratory_id = nullif(current_setting(''tracseq.laboratory_id'', true), '''')::uuid)',
      target);
  END IF;
  EXECUTE format('DROP TRIGGER IF EXISTS stamp_revision ON %s', target);
  EXECUTE format('DROP TRIGGER IF EXISTS capture_change ON %s', target);
  EXECUTE format('DROP TRIGGER IF EXISTS refuse_delete ON %s', target);
  EXECUTE format('DROP TRIGGER IF EXISTS refuse_truncate ON %s', target);
  EXECUTE format('DROP TRIGGER IF EXISTS refuse_update ON %s', target);
  IF table_policy IN ('local', 'derived') THEN
    RETURN;
  END IF;
  SELECT coalesce(string_agg(quote_literal(attname), ', '), '') INTO generated
  FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated <> '';
  EXECUTE format('CREATE TRIGGER stamp_revision BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.stamp_revision()', target);
  EXECUTE format('CREATE TRIGGER capture_change AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.capture_change(%s)', target, generated);
  EXECUTE format('CREATE TRIGGER refuse_delete BEFORE DELETE ON %s FOR EACH ROW EXECUTE FUNCTION platform.refuse_write(''deletion is soft'')', target);
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION platform.refuse_write(''nothing is ever cleared'')', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER stamp_revision', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER capture_change', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_delete', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', target);
  IF table_policy IN ('immutable', 'append-only', 'movement') THEN
    EXECUTE format('CREATE TRIGGER refuse_update BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.refuse_write(''its rows are written once'')', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_update', target);
  END IF;
END
$$;

-- Ends a transaction's change set: gathers what was captured into one outbox row, and keeps the answer for repeats.
-- Returns no row when nothing was written and nothing announced.
CREATE FUNCTION platform.finish_change_set(
  change_set uuid, entry_kind text, entry_head text, entry_tail text,
  idempotency_key text, procedure text, request_hash text, answer text, at timestamptz,
  reaction json, events json
) RETURNS TABLE (sequence bigint, payload text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS $$
DECLARE
  captured json;
  captured_count integer;
  next_sequence bigint;
  whole text;
BEGIN
  WITH taken AS (
    DELETE FROM platform.capture c WHERE c.change_set_id = change_set
    RETURNING c.ordinal, c.table_name, c.operation, c.key, c.replaces, c.image
  )
  SELECT coalesce(json_agg(json_build_object(
           'table', t.table_name, 'operation', t.operation, 'key', t.key, 'replaces', t.replaces, 'values', t.image)
           ORDER BY t.ordinal), '[]'::json), count(*)
  INTO captured, captured_count FROM taken t;

  IF captured_count > 1000 THEN
    RAISE EXCEPTION 'a change set may hold 1000 row changes, this one has %', captured_count USING ERRCODE = 'TS004';
  END IF;

  IF idempotency_key IS NOT NULL THEN
    INSERT INTO platform.idempotency VALUES (
      idempotency_key, request_hash, procedure, answer, CASE WHEN captured_count > 0 THEN change_set END, at);
  END IF;

  IF captured_count = 0 AND json_array_length(events) = 0 THEN
    RETURN;
  END IF;

  -- On a server several connections commit at once; sequences must be dense and in commit order.
  PERFORM pg_advisory_xact_lock(7021119);
  SELECT coalesce(max(o.sequence), 0) + 1 INTO next_sequence FROM platform.outbox o;
  whole := entry_head || next_sequence || entry_tail || json_build_object(
    'command', json_build_object('procedure', procedure, 'idempotencyKey', idempotency_key,
                                 'requestHash', request_hash, 'answer', answer),
    'laboratoryId', current_setting('tracseq.laboratory_id', true),
    'reaction', reaction, 'changes', captured, 'events', events)::text || '}';
  IF octet_length(whole) > 4194304 THEN
    RAISE EXCEPTION 'a change set may hold 4 MB, this one has % bytes', octet_length(whole) USING ERRCODE = 'TS004';
  END IF;
  INSERT INTO platform.outbox VALUES (next_sequence, entry_kind, change_set, whole);
  RETURN QUERY SELECT next_sequence, whole;
END
$$;

SELECT platform.protect_table('platform.saga', 'field-merge');

GRANT SELECT ON ALL TABLES IN SCHEMA platform TO tracseq_service;
GRANT INSERT, UPDATE ON platform.subscriber_cursor TO tracseq_service;
