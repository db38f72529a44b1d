-- 0016 Voice AI calls of the locations, as GHL tells them. Why: a dashboard asks for them. Oldest program: 1.

create table if not exists bridge.call_logs (
  location_id text not null,
  call_id text not null,
  agent_id text,
  ghl_contact_id text,
  duration_sec int,
  is_trial boolean not null,
  called_at timestamptz not null,
  details text not null,
  synced_at timestamptz not null default now(),
  constraint call_logs_pk primary key (location_id, call_id)
);
create index if not exists call_logs_by_time on bridge.call_logs (location_id, called_at desc, call_id desc);
comment on table bridge.call_logs is 'Voice AI calls, once each; a later look at the same call replaces what was known of it.';
comment on column bridge.call_logs.details is 'Sealed by the program: number, summary, transcript and what was extracted.';

-- One page of GHL's list. Returns how many of them were new.
create or replace function bridge.save_call_logs(args jsonb) returns jsonb
language plpgsql as $$
declare
  fresh int;
begin
  with saved as (
    insert into bridge.call_logs as known
      (location_id, call_id, agent_id, ghl_contact_id, duration_sec, is_trial, called_at, details)
    select args->>'locationId', call->>'callId', call->>'agentId', call->>'ghlContactId', (call->>'durationSec')::int,
      (call->>'isTrial')::boolean, bridge.from_ms((call->>'calledAt')::bigint), call->>'details'
    from jsonb_array_elements(args->'calls') call
    order by call->>'callId'
    on conflict (location_id, call_id) do update
    set agent_id = excluded.agent_id, ghl_contact_id = excluded.ghl_contact_id, duration_sec = excluded.duration_sec,
      is_trial = excluded.is_trial, called_at = excluded.called_at, details = excluded.details, synced_at = now()
    returning (xmax = 0) as is_fresh
  )
  select count(*) filter (where is_fresh) into fresh from saved;
  return to_jsonb(fresh);
end
$$;

create or replace function bridge.list_call_logs(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'callId', page.call_id,
    'agentId', page.agent_id,
    'ghlContactId', page.ghl_contact_id,
    'durationSec', page.duration_sec,
    'isTrial', page.is_trial,
    'calledAt', bridge.to_ms(page.called_at),
    'details', page.details) order by page.called_at desc, page.call_id desc), '[]')
  from (
    select * from bridge.call_logs call
    where call.location_id = args->>'locationId'
      and (args->>'from' is null or call.called_at >= bridge.from_ms((args->>'from')::bigint))
      and (args->>'to' is null or call.called_at <= bridge.from_ms((args->>'to')::bigint))
      and (args->>'beforeAt' is null
        or (call.called_at, call.call_id) < (bridge.from_ms((args->>'beforeAt')::bigint), args->>'beforeId'))
    order by call.called_at desc, call.call_id desc limit (args->>'limit')::int
  ) page
$$;

select bridge.finish_migration(16, '0016_call_logs', 1, array['save_call_logs', 'list_call_logs']);
notify pgrst, 'reload schema';
