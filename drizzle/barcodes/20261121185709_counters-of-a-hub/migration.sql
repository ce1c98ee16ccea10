CREATE INDEX "code_part_counter" ON "code" ("workstation_part","counter");--> statement-breakpoint
-- The last number given out under a part, in whatever laboratory; row-level security would count each one's by itself.
CREATE FUNCTION highest_counter(said text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  SELECT max(counter) FROM code WHERE workstation_part = said
$$;
