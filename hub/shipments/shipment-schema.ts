/**
 * Shipments between laboratories, in `tracseq_sync`: neither laboratory's own database could speak for both. While a
 * sample travels, its row here is the one owner of custody, and no sample is in two shipments at once.
 */
export const shipmentSchema = `
  create table if not exists shipment (
    id uuid primary key,
    number integer generated always as identity,
    -- A repeated command finds the shipment that it made.
    request_key text not null unique,
    from_laboratory uuid not null,
    from_name text not null,
    to_laboratory uuid not null,
    to_name text not null,
    carrier text not null,
    reference text not null,
    reason text not null,
    return_of uuid,
    sent_at timestamptz not null default now(),
    sent_by text not null,
    received_at timestamptz,
    received_by text
  );
  create index if not exists shipment_from on shipment (from_laboratory, number);
  create index if not exists shipment_to on shipment (to_laboratory, number);
  -- What was asked and by whom. Null for what was sent before this was kept: of those a repeat is not compared.
  alter table shipment add column if not exists request_hash text;
  create table if not exists shipment_item (
    shipment_id uuid not null references shipment (id),
    sample_id uuid not null,
    name text not null,
    code text,
    state text not null,
    missing boolean not null default false,
    words text,
    -- Who asked for the step that is under way, as a call's actor.
    asked_by jsonb not null,
    asked_because text not null,
    -- What both laboratories had written when the sender's stub was last brought up to date. Null once it is over.
    told text default '',
    primary key (shipment_id, sample_id)
  );
  create unique index if not exists one_shipment_per_sample on shipment_item (sample_id)
    where state not in ('received', 'refused', 'cancelled');
  -- Found in the parcel, and not taken in yet.
  alter table shipment_item add column if not exists checked_off boolean not null default false;
  -- Why the receiver does not take it, which counts unless it is checked off.
  alter table shipment_item add column if not exists turned_back text;
  -- The canonical keys of all codes of the sample and its tubes: what the receiver's scanner reads.
  alter table shipment_item add column if not exists lookup_keys text[] not null default '{}';
  -- Something may have been written of it that was not told yet.
  alter table shipment_item add column if not exists news boolean not null default true;
  create index if not exists item_of_sample on shipment_item (sample_id);
  create index if not exists item_with_news on shipment_item (shipment_id)
    where state = 'received' and told is not null and news;
  -- Up to which of their entries in the log the changes of samples were looked through for news. One row.
  create table if not exists shipment_look (
    id integer primary key default 1 check (id = 1),
    sequence bigint not null
  );
  create index if not exists item_under_way on shipment_item (state)
    where state in ('sending', 'refusing', 'cancelling', 'arriving');
  create table if not exists shipment_event (
    id integer generated always as identity primary key,
    shipment_id uuid not null references shipment (id),
    at timestamptz not null default now(),
    what text not null,
    by_name text not null,
    laboratory text not null,
    samples integer not null,
    words text
  );
  create index if not exists event_of_shipment on shipment_event (shipment_id, id);
`
