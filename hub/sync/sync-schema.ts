/**
 * The tables of sync in `tracseq_sync`: which workstations there are, what they were let in by, and what was refused. Nothing of
 * a laboratory's data is here.
 */
export const syncSchema = `
  create table if not exists workstation (
    id text primary key,
    laboratory_id uuid not null,
    name text not null,
    public_key text not null,
    fingerprint text not null unique,
    is_founder boolean not null,
    administrators_offline boolean not null,
    enrolled_at timestamptz not null default now(),
    founded_at timestamptz,
    last_seen_at timestamptz,
    acknowledged_position bigint not null default 0,
    pushed_sequence bigint,
    pushed_hash text,
    clock_skew_ms bigint,
    migrations jsonb not null default '{}',
    revoked_at timestamptz,
    revoked_because text
  );
  -- SPKI, base64; null until the workstation has told it.
  alter table workstation add column if not exists sealing_key text;
  create index if not exists workstation_of_laboratory on workstation (laboratory_id, enrolled_at);
  -- A laboratory is brought here once, by one workstation.
  create unique index if not exists founder_of_laboratory on workstation (laboratory_id) where is_founder;
  create table if not exists enrolment_code (
    secret_hash text primary key,
    -- Null for the founder of a laboratory that is not here yet.
    laboratory_id uuid,
    administrators_offline boolean not null,
    created_by text not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by text
  );
  create table if not exists challenge (
    value text primary key,
    expires_at timestamptz not null
  );
  create table if not exists token (
    token_hash text primary key,
    workstation_id text not null references workstation (id),
    expires_at timestamptz not null
  );
  create table if not exists founded_domain (
    laboratory_id uuid not null,
    domain text not null,
    position bigint not null,
    hash text not null,
    primary key (laboratory_id, domain)
  );
  create table if not exists refusal (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    workstation_id text,
    laboratory_id uuid,
    code text not null,
    words text not null
  );
`
