-- Of the words a person types, the one that is likely to be the rarest: numbers before names, long before short.
CREATE FUNCTION sample_rarest_word(said text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog
AS $$
  SELECT coalesce((
    SELECT ('''' || word || ''':*')::tsquery
    FROM regexp_split_to_table(lower(normalize(said, NFKC) COLLATE pg_c_utf8), '[^[:alnum:]]+') AS word
    WHERE word <> ''
    ORDER BY word ~ '[0-9]' DESC, length(word) DESC, word
    LIMIT 1
  ), '')
$$;
--> statement-breakpoint
-- The index looks up one word only: for a word that most samples have it would gather them all. The function instead of
-- the operator keeps the other words out of the index.
CREATE OR REPLACE FUNCTION samples_matching(said text, at_most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  SELECT id FROM sample
  WHERE search @@ sample_rarest_word(said)
    AND ts_match_vq(search, sample_query(said))
    AND laboratory_id = nullif(current_setting('tracseq.laboratory_id', true), '')::uuid
  LIMIT at_most
$$;
