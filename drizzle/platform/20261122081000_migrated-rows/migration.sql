-- A migration may give the rows that are there other values. Every copy runs it, at the Hub and at the workstations, and makes
-- the same of a row: so the row keeps its revision, nothing of it is pushed, and the migration's entry in the journal is its
-- record. It makes no rows, takes none away, and gives none another key. What services write is never a migration's.
CREATE FUNCTION platform.is_migrating(operation text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog
AS $$
  SELECT operation = 'UPDATE' AND current_setting('tracseq.origin', true) = 'migration'
    AND current_setting('role', true) IS DISTINCT FROM 'tracseq_service'
$$;

CREATE OR REPLACE FUNCTION platform.stamp_revision() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  change_set text := current_setting('tracseq.change_set_id', true);
  by_migration boolean := coalesce(platform.is_migrating(TG_OP), false);
BEGIN
  IF coalesce(change_set, '') = '' AND NOT by_migration THEN
    RAISE EXCEPTION 'a write to % came without a change set', TG_TABLE_NAME USING ERRCODE = 'TS001';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id <> OLD.id OR NEW.laboratory_id <> OLD.laboratory_id THEN
      RAISE EXCEPTION 'the key of a row of % may not change', TG_TABLE_NAME USING ERRCODE = 'TS002';
    END IF;
  END IF;
  IF by_migration THEN
    NEW.revision := OLD.revision;
  ELSIF current_setting('tracseq.origin', true) IS DISTINCT FROM 'hub' THEN
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
  -- The migration's own text is in the journal, and is run again there.
  IF platform.is_migrating(TG_OP) THEN
    RETURN NULL;
  END IF;
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

-- As before; what is written once a migration may call otherwise, and take away no more than anybody else.
CREATE OR REPLACE FUNCTION platform.refuse_unless_hub() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  IF platform.is_migrating(TG_OP) THEN
    RETURN NEW;
  END IF;
  IF current_setting('tracseq.origin', true) IS DISTINCT FROM 'hub' THEN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'TS003';
  END IF;
  RETURN coalesce(NEW, OLD);
END
$$;
