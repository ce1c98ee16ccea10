-- Case and compatible characters do not count for finding.
CREATE FUNCTION sample_fold(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT lower(normalize(said, NFKC) COLLATE pg_c_utf8)
$$;
--> statement-breakpoint
-- Under these words a sample is found. What stands between blanks is found by its parts and as a whole without what
-- separates them (`S-007` by `s`, `007` and `s007`); a code and a sender's name for it also without blanks.
CREATE FUNCTION sample_words(name text, code text, client_id text, donor text, project text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT string_to_array(btrim(regexp_replace(
    regexp_replace(folded, '[^[:alnum:]]+', ' ', 'g') || ' ' ||
    regexp_replace(folded, '[^[:alnum:]\s]+', '', 'g') || ' ' ||
    public.sample_fold(regexp_replace(coalesce(code, ''), '[^[:alnum:]]+', '', 'g')) || ' ' ||
    public.sample_fold(regexp_replace(coalesce(client_id, ''), '[^[:alnum:]]+', '', 'g')), '\s+', ' ', 'g')), ' ')
  FROM (SELECT public.sample_fold(name || ' ' || coalesce(code, '') || ' ' || coalesce(client_id, '') || ' ' ||
    coalesce(donor, '') || ' ' || coalesce(project, ''))) AS said (folded)
$$;
--> statement-breakpoint
-- What a person types: each word, without what separates its parts, must begin a word of the sample.
CREATE FUNCTION sample_query(said text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT coalesce(string_agg('''' || word || ''':*', ' & '), '')::tsquery
  FROM regexp_split_to_table(regexp_replace(public.sample_fold(said), '[^[:alnum:]\s]+', '', 'g'), '\s+') AS word
  WHERE word <> ''
$$;
--> statement-breakpoint
-- One form for all spellings of a name: no case, no separators, no zeros.
CREATE FUNCTION sample_skeleton(said text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT regexp_replace(public.sample_fold(said), '[^[:alnum:]]|0', '', 'g')
$$;
--> statement-breakpoint
CREATE TABLE "amount_movement" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sample_id" uuid NOT NULL,
	"quantity" text NOT NULL,
	"kind" text NOT NULL,
	"value" numeric NOT NULL,
	"covers" jsonb NOT NULL,
	"reason" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"by" text NOT NULL,
	"by_id" text NOT NULL,
	CONSTRAINT "amount_movement_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "custody_event" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sample_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"predecessor_id" uuid,
	"settles_ids" jsonb NOT NULL,
	"holder" text NOT NULL,
	"place" text,
	"to_laboratory_id" uuid,
	"reason" text,
	"at" timestamp(3) with time zone NOT NULL,
	"by" text NOT NULL,
	"by_id" text NOT NULL,
	CONSTRAINT "custody_event_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"state" text NOT NULL,
	"client_id" text,
	"donor" text,
	"project" text,
	"collected_on" date,
	"concentration_ng_per_ul" numeric,
	"taxon_id" text,
	"priority" text NOT NULL,
	"extra" jsonb NOT NULL,
	"code" text,
	"location" text,
	"import_id" uuid,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"created_by_id" text NOT NULL,
	"updated_at" timestamp(3) with time zone NOT NULL,
	"written_revision" uuid NOT NULL,
	"search" tsvector GENERATED ALWAYS AS (array_to_tsvector(sample_words(name, code, client_id, donor, project))) STORED,
	"client_skeleton" text GENERATED ALWAYS AS (sample_skeleton(coalesce(client_id, name))) STORED,
	CONSTRAINT "sample_pkey" PRIMARY KEY("laboratory_id","id"),
	CONSTRAINT "sample_state_known" CHECK (state in ('pending', 'validated', 'in_storage', 'in_sequencing', 'completed', 'failed', 'rejected', 'discarded', 'archived', 'deleted'))
);
--> statement-breakpoint
CREATE TABLE "sample_code" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"code" text NOT NULL,
	"thing_kind" text NOT NULL,
	"thing_id" text NOT NULL,
	"live" boolean NOT NULL,
	"linked_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "sample_code_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample_container" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sample_id" uuid NOT NULL,
	"state" text NOT NULL,
	"place" text,
	"placement_ahead" boolean,
	"by_receive" boolean NOT NULL,
	"received_place" jsonb,
	CONSTRAINT "sample_container_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample_history" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sample_id" uuid NOT NULL,
	"lane" text NOT NULL,
	"what" text NOT NULL,
	"detail" jsonb NOT NULL,
	"reason" text,
	"at" timestamp(3) with time zone NOT NULL,
	"by" text NOT NULL,
	"by_id" text NOT NULL,
	CONSTRAINT "sample_history_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample_note" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"sample_id" uuid NOT NULL,
	"note" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"by" text NOT NULL,
	"by_id" text NOT NULL,
	CONSTRAINT "sample_note_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample_relation" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"child_id" uuid NOT NULL,
	"parent_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"by" text NOT NULL,
	"by_id" text NOT NULL,
	CONSTRAINT "sample_relation_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE TABLE "sample_type" (
	"laboratory_id" uuid,
	"id" uuid,
	"revision" uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"key" text NOT NULL,
	"name" text NOT NULL,
	"letter" text NOT NULL,
	"contested" boolean DEFAULT false NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	CONSTRAINT "sample_type_pkey" PRIMARY KEY("laboratory_id","id")
);
--> statement-breakpoint
CREATE INDEX "movement_of_sample" ON "amount_movement" ("laboratory_id","sample_id","id");--> statement-breakpoint
CREATE INDEX "custody_of_sample" ON "custody_event" ("laboratory_id","sample_id","id");--> statement-breakpoint
CREATE INDEX "sample_created" ON "sample" ("laboratory_id","created_at","id");--> statement-breakpoint
CREATE INDEX "sample_name" ON "sample" ("laboratory_id","name","id");--> statement-breakpoint
CREATE INDEX "sample_state" ON "sample" ("laboratory_id","state","id");--> statement-breakpoint
CREATE INDEX "sample_type_of" ON "sample" ("laboratory_id","type","id");--> statement-breakpoint
CREATE INDEX "sample_collected" ON "sample" ("laboratory_id",coalesce("collected_on", '0001-01-01'::date),"id");--> statement-breakpoint
CREATE INDEX "sample_project" ON "sample" ("laboratory_id","project","created_at");--> statement-breakpoint
CREATE INDEX "sample_donor" ON "sample" ("laboratory_id","donor","collected_on");--> statement-breakpoint
CREATE INDEX "sample_import" ON "sample" ("laboratory_id","import_id");--> statement-breakpoint
CREATE INDEX "sample_code_shown" ON "sample" ("laboratory_id","code");--> statement-breakpoint
CREATE INDEX "sample_client" ON "sample" ("laboratory_id","client_skeleton");--> statement-breakpoint
CREATE INDEX "sample_search" ON "sample" USING gin ("search") WITH (fastupdate=false);--> statement-breakpoint
CREATE INDEX "sample_code_of_thing" ON "sample_code" ("laboratory_id","thing_kind","thing_id");--> statement-breakpoint
CREATE INDEX "sample_code_text" ON "sample_code" ("laboratory_id","code");--> statement-breakpoint
CREATE INDEX "container_of_sample" ON "sample_container" ("laboratory_id","sample_id","id");--> statement-breakpoint
CREATE INDEX "history_of_sample" ON "sample_history" ("laboratory_id","sample_id","id");--> statement-breakpoint
CREATE INDEX "note_of_sample" ON "sample_note" ("laboratory_id","sample_id","id");--> statement-breakpoint
CREATE INDEX "relation_of_child" ON "sample_relation" ("laboratory_id","child_id");--> statement-breakpoint
CREATE INDEX "relation_of_parent" ON "sample_relation" ("laboratory_id","parent_id");--> statement-breakpoint
-- A type's key and cap letter belong to one type. Deferrable, so that two can change places within one change set.
ALTER TABLE "sample_type" ADD CONSTRAINT "sample_type_has_one_key"
  EXCLUDE USING btree ("laboratory_id" WITH =, "key" WITH =)
  WHERE (NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
ALTER TABLE "sample_type" ADD CONSTRAINT "sample_type_has_one_letter"
  EXCLUDE USING btree ("laboratory_id" WITH =, "letter" WITH =)
  WHERE (NOT "contested") DEFERRABLE INITIALLY IMMEDIATE;
--> statement-breakpoint
-- Row-level security keeps the service role's own word search from using the index: the operator might tell of rows
-- of other laboratories. This function looks as the owner and gives ids of the caller's laboratory only.
CREATE FUNCTION samples_matching(said text, at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  SELECT id FROM sample
  WHERE search @@ sample_query(said)
    AND laboratory_id = nullif(current_setting('tracseq.laboratory_id', true), '')::uuid
  LIMIT at_most
$$;
