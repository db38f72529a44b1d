-- 0014 What became of each app event. Why: an event that was accepted is acted on once, also after a kill, and the operator can see it. Oldest program: 1.

alter table bridge.webhook_events
  add column if not exists company_id text,
  add column if not exists state text not null default 'ignored'
    constraint webhook_events_state check (state in ('received', 'processed', 'ignored', 'failed')),
  add column if not exists reason text,
  add column if not exists attempts int not null default 0,
  add column if not exists next_at timestamptz not null default now(),
  add column if not exists settled_at timestamptz;
create index if not exists webhook_events_waiting on bridge.webhook_events (next_at) where state = 'received';
create index if not exists webhook_events_by_time on bridge.webhook_events (received_at, webhook_id);
comment on column bridge.webhook_events.reason is 'Why it was ignored, or what its last attempt met.';

-- With "ignored" (why) nothing waits to be done for it.
create or replace function bridge.record_webhook_event(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.webhook_events (webhook_id, type, location_id, company_id, payload, state, reason, settled_at)
  values (args->>'webhookId', args->>'type', args->>'locationId', args->>'companyId', args->>'payload',
    case when args->>'ignored' is null then 'received' else 'ignored' end, args->>'ignored',
    case when args->>'ignored' is not null then now() end)
  on conflict do nothing;
  return to_jsonb(case when found then 'recorded' else 'duplicate' end);
end
$$;

-- Takes events that wait, for holdMs: whoever dies over one leaves it to the next.
create or replace function bridge.claim_webhook_events(args jsonb) returns jsonb
language plpgsql as $$
declare
  claimed jsonb;
begin
  with waiting as (
    select event.webhook_id from bridge.webhook_events event
    where event.state = 'received' and event.next_at <= clock_timestamp()
    order by event.next_at limit (args->>'limit')::int
    for update skip locked
  ), taken as (
    update bridge.webhook_events event
    set attempts = event.attempts + 1, next_at = bridge.after_ms((args->>'holdMs')::bigint)
    from waiting where event.webhook_id = waiting.webhook_id
    returning event.*
  )
  select coalesce(jsonb_agg(jsonb_build_object('webhookId', taken.webhook_id, 'locationId', taken.location_id,
    'payload', taken.payload, 'attempts', taken.attempts) order by taken.received_at), '[]')
  into claimed from taken;
  return claimed;
end
$$;

-- "received" with retryInMs: it is tried again.
create or replace function bridge.settle_webhook_event(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.webhook_events event
  set state = args->>'state', reason = args->>'reason',
    next_at = case when args->>'state' = 'received' then bridge.after_ms((args->>'retryInMs')::bigint) else event.next_at end,
    settled_at = case when args->>'state' = 'received' then null else now() end
  where event.webhook_id = args->>'webhookId' and event.state = 'received';
  return to_jsonb(found);
end
$$;

-- Latest first, without payloads. The cursor is "milliseconds id" of the last one seen.
create or replace function bridge.list_webhook_events(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('webhookId', event.webhook_id, 'type', event.type,
    'locationId', event.location_id, 'companyId', event.company_id, 'state', event.state, 'reason', event.reason,
    'attempts', event.attempts, 'receivedAt', bridge.to_ms(event.received_at),
    'settledAt', bridge.to_ms(event.settled_at)) order by event.received_at desc, event.webhook_id desc), '[]')
  from (
    select * from bridge.webhook_events wanted
    where (args->>'state' is null or wanted.state = args->>'state')
      and (args->>'type' is null or wanted.type = args->>'type')
      and (args->>'locationId' is null or wanted.location_id = args->>'locationId')
      and (args->>'before' is null or (wanted.received_at, wanted.webhook_id) < (
        select seen.received_at, seen.webhook_id from bridge.webhook_events seen where seen.webhook_id = args->>'before'))
    order by wanted.received_at desc, wanted.webhook_id desc limit (args->>'limit')::int
  ) event
$$;

-- Repeats come for some days; what was acted on is kept longer, for people.
create or replace function bridge.prune_webhook_events(args jsonb) returns jsonb
language plpgsql as $$
begin
  delete from bridge.webhook_events event
  where event.state <> 'received' and event.received_at < clock_timestamp() - case when event.state = 'ignored'
    then (args->>'ignoredMs')::bigint else (args->>'keptMs')::bigint end * interval '1 millisecond';
  return 'true';
end
$$;

select bridge.finish_migration(14, '0014_app_events', 1, array[
  'claim_webhook_events', 'settle_webhook_event', 'list_webhook_events', 'prune_webhook_events']);
notify pgrst, 'reload schema';
