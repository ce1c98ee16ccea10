-- A migration that gives columns other names or values says how rows from before it are read. It lies beside the migration.
ALTER TABLE platform.migration ADD COLUMN upcast jsonb;

-- As before; an entry also says which of those migrations its rows were written under.
CREATE OR REPLACE FUNCTION platform.finish_change_set(
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
    'reaction', reaction, 'causedBy', caused_by,
    'shapedBy', (SELECT coalesce(json_agg(m.name ORDER BY m.name), '[]'::json) FROM platform.migration m WHERE m.upcast IS NOT NULL),
    'changes', captured, 'events', events, 'sync', sync_note)::text || '}';
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
