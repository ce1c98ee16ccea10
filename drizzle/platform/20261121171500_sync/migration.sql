-- What sync needs of every domain: what changed columns held before, what waits for the Hub, and what the Hub decided.

-- Where a workstation stands in the Hub's log. At the Hub, and before a workstation is enrolled, nothing is followed.
CREATE TABLE platform.sync_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  laboratory_id uuid,
  log_position bigint NOT NULL,
  log_hash text NOT NULL
);
INSERT INTO platform.sync_state VALUES (true, NULL, 0, repeat('0', 64));

-- Row changes of local change sets that the log has not confirmed.
CREATE TABLE platform.pending_change (
  domain_sequence bigint NOT NULL,
  ordinal integer NOT NULL,
  change_set_id uuid NOT NULL,
  table_name text NOT NULL,
  row_id uuid NOT NULL,
  change jsonb NOT NULL,
  PRIMARY KEY (domain_sequence, ordinal)
);
CREATE INDEX pending_change_row ON platform.pending_change (row_id);
CREATE INDEX pending_change_set ON platform.pending_change (change_set_id);

-- What the Hub has of rows with pending changes; a null image says that it has none.
CREATE TABLE platform.hub_image (
  table_name text NOT NULL,
  row_id uuid NOT NULL,
  image jsonb,
  PRIMARY KEY (table_name, row_id)
);

-- What a person must decide, as the Hub's log opened it.
CREATE TABLE platform.work_item (
  laboratory_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  subject text,
  -- Of the change set that is held back.
  change_set_id uuid,
  state text NOT NULL CHECK (state IN ('open', 'closed', 'acknowledged')),
  -- The order in which items came.
  opened_sequence bigint NOT NULL,
  opened_ordinal integer NOT NULL,
  opened_at timestamptz(3) NOT NULL,
  item jsonb NOT NULL,
  PRIMARY KEY (laboratory_id, id)
);
CREATE INDEX work_item_open ON platform.work_item (laboratory_id, opened_sequence) WHERE state = 'open';
CREATE INDEX work_item_standing ON platform.work_item (laboratory_id, kind, subject) WHERE subject IS NOT NULL;

-- The Hub's answers to pushed change sets, so that the same push again gets the same answer.
CREATE TABLE platform.change_set_fate (
  laboratory_id uuid NOT NULL,
  change_set_id uuid NOT NULL,
  outcome text NOT NULL,
  status text NOT NULL CHECK (status IN ('taken', 'waiting', 'dropped')),
  result_id uuid NOT NULL,
  altered jsonb NOT NULL,
  PRIMARY KEY (laboratory_id, change_set_id)
);

-- A saga is gone on with where it was begun.
ALTER TABLE platform.saga ADD COLUMN workstation_id text;

ALTER TABLE platform.capture ADD COLUMN before jsonb NOT NULL DEFAULT '{}';

-- Rows of the Hub's, and what is folded on top of them, bring the revision they have.
CREATE OR REPLACE FUNCTION platform.stamp_revision() RETURNS trigger
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
  IF current_setting('tracseq.origin', true) IS DISTINCT FROM 'hub' THEN
    NEW.revision := change_set::uuid;
  END IF;
  RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION platform.capture_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
SET timezone = 'UTC'
SET datestyle = 'ISO, YMD'
SET bytea_output = 'hex'
AS $$
DECLARE
  left_out text[] := coalesce(TG_ARGV, '{}'::text[]);
  named text := CASE TG_TABLE_SCHEMA WHEN 'public' THEN TG_TABLE_NAME ELSE TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME END;
  named_set text := current_setting('tracseq.change_set_id');
  change_set uuid;
  after_image jsonb := '{}';
  before_image jsonb;
  changed_before jsonb := '{}';
  replaced uuid;
BEGIN
  -- Rows of several change sets may be written at once: then each brings the one that it belongs to.
  IF named_set = 'revision' THEN
    change_set := NEW.revision;
  ELSE
    change_set := named_set::uuid;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    before_image := platform.text_image(to_jsonb(OLD), left_out);
    replaced := OLD.revision;
  END IF;
  IF TG_OP = 'DELETE' THEN
    INSERT INTO platform.capture (change_set_id, table_name, operation, key, replaces, image, before)
    VALUES (change_set, named, 'withdraw', jsonb_build_object('laboratory_id', OLD.laboratory_id, 'id', OLD.id),
            replaced, '{}', before_image);
    RETURN NULL;
  END IF;
  after_image := platform.text_image(to_jsonb(NEW), left_out);
  IF TG_OP = 'UPDATE' THEN
    -- The revision is the change set's own, unless the row brought one with it.
    SELECT coalesce(jsonb_object_agg(key, value), '{}'::jsonb), coalesce(jsonb_object_agg(key, before_image -> key), '{}'::jsonb)
    INTO after_image, changed_before
    FROM jsonb_each(after_image)
    WHERE value IS DISTINCT FROM before_image -> key AND (key <> 'revision' OR current_setting('tracseq.origin', true) = 'hub');
  END IF;
  INSERT INTO platform.capture (change_set_id, table_name, operation, key, replaces, image, before)
  VALUES (change_set, named, lower(TG_OP), jsonb_build_object('laboratory_id', NEW.laboratory_id, 'id', NEW.id),
          replaced, after_image, changed_before);
  -- The first pending change of a row: what it was until now is what the Hub has.
  IF current_setting('tracseq.is_pending', true) = 'yes' THEN
    INSERT INTO platform.hub_image VALUES (named, NEW.id, before_image) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END
$$;

-- What nobody at a bench may do, following the Hub has to: a row that the Hub did not take is taken away again, and one
-- that it merged gets the Hub's revision. Both are journaled like any change.
CREATE FUNCTION platform.refuse_unless_hub() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  IF current_setting('tracseq.origin', true) IS DISTINCT FROM 'hub' THEN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'TS003';
  END IF;
  RETURN coalesce(NEW, OLD);
END
$$;

-- People, roles and the like are the Hub's: a workstation that follows one only reads them.
CREATE FUNCTION platform.refuse_away_from_hub() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog
AS $$
BEGIN
  IF current_setting('tracseq.origin', true) = 'local'
    AND EXISTS (SELECT FROM platform.sync_state WHERE laboratory_id IS NOT NULL)
  THEN
    RAISE EXCEPTION '% is changed at the Hub only', TG_TABLE_NAME USING ERRCODE = 'TS005';
  END IF;
  RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION platform.protect_table(target regclass, table_policy text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  generated text;
  named text := target::text;
  each_trigger text;
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
  FOREACH each_trigger IN ARRAY ARRAY['stamp_revision', 'capture_change', 'refuse_delete', 'refuse_truncate', 'refuse_update', 'refuse_away_from_hub'] LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', each_trigger, target);
  END LOOP;
  IF table_policy IN ('local', 'derived') THEN
    RETURN;
  END IF;
  SELECT coalesce(string_agg(quote_literal(attname), ', '), '') INTO generated
  FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated <> '';
  EXECUTE format('CREATE TRIGGER stamp_revision BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.stamp_revision()', target);
  EXECUTE format('CREATE TRIGGER capture_change AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION platform.capture_change(%s)', target, generated);
  EXECUTE format('CREATE TRIGGER refuse_delete BEFORE DELETE ON %s FOR EACH ROW EXECUTE FUNCTION platform.refuse_unless_hub(''deletion is soft'')', target);
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION platform.refuse_write(''nothing is ever cleared'')', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER stamp_revision', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER capture_change', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_delete', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', target);
  IF table_policy IN ('immutable', 'append-only', 'movement') THEN
    EXECUTE format('CREATE TRIGGER refuse_update BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.refuse_unless_hub(''its rows are written once'')', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_update', target);
  END IF;
  IF table_policy = 'hub-only' THEN
    EXECUTE format('CREATE TRIGGER refuse_away_from_hub BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION platform.refuse_away_from_hub()', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_away_from_hub', target);
  END IF;
END
$$;

DROP FUNCTION platform.finish_change_set(uuid, text, text, text, text, text, text, text, timestamptz, json, json);

-- Ends a change set: gathers what was captured into one outbox row, notes what waits for the Hub, and keeps the answer
-- for repeats. Returns no row when nothing was written, announced or noted.
CREATE FUNCTION platform.finish_change_set(
  change_set uuid, entry_kind text, entry_head text, entry_tail text,
  idempotency_key text, procedure text, request_hash text, answer text, at timestamptz,
  reaction json, events json, caused_by uuid, sync_note json
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
    RETURNING c.ordinal, c.table_name, c.operation, c.key, c.replaces, c.image, c.before
  )
  SELECT coalesce(json_agg(json_build_object(
           'table', t.table_name, 'operation', t.operation, 'key', t.key, 'replaces', t.replaces, 'values', t.image,
           'before', t.before)
           ORDER BY t.ordinal), '[]'::json), count(*)
  INTO captured, captured_count FROM taken t;

  IF captured_count > 1000 THEN
    RAISE EXCEPTION 'a change set may hold 1000 row changes, this one has %', captured_count USING ERRCODE = 'TS004';
  END IF;

  IF idempotency_key IS NOT NULL THEN
    INSERT INTO platform.idempotency VALUES (
      idempotency_key, request_hash, procedure, answer, CASE WHEN captured_count > 0 THEN change_set END, at);
  END IF;

  IF captured_count = 0 AND json_array_length(events) = 0 AND sync_note IS NULL THEN
    RETURN;
  END IF;

  -- On a server several connections commit at once; sequences must be dense and in commit order.
  PERFORM pg_advisory_xact_lock(7021119);
  SELECT coalesce(max(o.sequence), 0) + 1 INTO next_sequence FROM platform.outbox o;
  whole := entry_head || next_sequence || entry_tail || json_build_object(
    'command', json_build_object('procedure', procedure, 'idempotencyKey', idempotency_key,
                                 'requestHash', request_hash, 'answer', answer),
    'laboratoryId', current_setting('tracseq.laboratory_id', true),
    'reaction', reaction, 'causedBy', caused_by, 'changes', captured, 'events', events, 'sync', sync_note)::text || '}';
  IF octet_length(whole) > 4194304 THEN
    RAISE EXCEPTION 'a change set may hold 4 MB, this one has % bytes', octet_length(whole) USING ERRCODE = 'TS004';
  END IF;
  INSERT INTO platform.outbox VALUES (next_sequence, entry_kind, change_set, whole);
  IF current_setting('tracseq.is_pending', true) = 'yes' THEN
    INSERT INTO platform.pending_change
    SELECT next_sequence, each.ordinality, change_set, each.value ->> 'table', (each.value -> 'key' ->> 'id')::uuid, each.value
    FROM jsonb_array_elements(captured::jsonb) WITH ORDINALITY each;
  END IF;
  RETURN QUERY SELECT next_sequence, whole;
END
$$;

-- Tables that are there already are put under the triggers as they are now.
SELECT platform.protect_table(table_name::regclass, policy) FROM platform.synced_table WHERE to_regclass(table_name) IS NOT NULL;

GRANT SELECT ON ALL TABLES IN SCHEMA platform TO tracseq_service;
