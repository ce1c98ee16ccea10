/**
 * The tables of `tracseq_events`. Entries of one laboratory form one chain with dense positions; `sequence` is dense over
 * the whole Hub and is what its own services read by. What belongs to no laboratory (migrations, epochs) forms a chain
 * under the zero id. Rows are written once: only a payload may be taken away later.
 */
export const logSchema = `
  create table if not exists entry (
    sequence bigint primary key,
    laboratory_id uuid not null,
    position bigint not null,
    kind text not null,
    domain text not null,
    domain_sequence bigint not null,
    change_set_id text not null,
    origin text not null,
    actor_id text not null,
    workstation_id text not null,
    hybrid_logical_time text not null,
    reason text,
    correlation_id text not null,
    recorded_at text not null,
    event_names text[] not null,
    payload_hash bytea not null,
    hash bytea not null,
    payload text,
    unique (laboratory_id, position),
    unique (domain, domain_sequence)
  );
  create index if not exists entry_change_set on entry (change_set_id);
  create index if not exists entry_correlation on entry (correlation_id);
  create index if not exists entry_with_events on entry (sequence) where event_names <> '{}';
  create table if not exists epoch (
    number integer primary key,
    started_at_sequence bigint not null,
    started_at text not null,
    reason text not null
  );
  create table if not exists gap (
    sequence bigint primary key,
    epoch integer not null,
    domain text not null,
    lost_from bigint not null,
    lost_to bigint not null
  );
  create table if not exists checkpoint (
    laboratory_id uuid not null,
    position bigint not null,
    hash bytea not null,
    public_key text not null,
    key_fingerprint text not null,
    signature text not null,
    signed_at text not null,
    primary key (laboratory_id, position)
  );
`

/** The chain of what belongs to no laboratory. */
export const NO_LABORATORY = '00000000-0000-0000-0000-000000000000'
