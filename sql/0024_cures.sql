-- 0024 What is well again ends the back-off that it caused. Why: a chat whose message failed with the connection waited out its minutes while the number was back long since. Oldest program: 1.

alter table bridge.location_wakes add column if not exists cures jsonb not null default '{}';
comment on column bridge.location_wakes.cures is
  'The token of the last wake by what was well again: "WA" (a number), "GHL". As woken_token, for jobs that back off.';

-- Internal. What a failure belongs to: the first word of its code.
create or replace function bridge.ailment(error_code text) returns text
language sql immutable as $$
  select split_part(error_code, '_', 1)
$$;

create or replace function bridge.retry(args jsonb) returns jsonb
language plpgsql as $$
declare
  job_token bigint := (args->>'token')::bigint;
  lane_key text;
  location text;
  cured bigint;
begin
  -- The wake row is locked first, in the order of bridge.wake, so that one of the two sees the other.
  select lane.location_id into location
  from bridge.jobs claimed join bridge.lanes lane on lane.key = claimed.lane
  where claimed.id = (args->>'jobId')::bigint;
  select (wakes.cures->>bridge.ailment(args->>'code'))::bigint into cured
  from bridge.location_wakes wakes where wakes.location_id = location for share;
  lane_key := bridge.lock_claimed((args->>'jobId')::bigint, job_token);
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job
  set token = null, may_have_happened = job.may_have_happened or (args->>'mayHaveHappened')::boolean,
    error_code = args->>'code', error_message = args->>'message'
  where job.id = (args->>'jobId')::bigint;
  if cured > job_token then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  else
    perform bridge.rest_lane(lane_key, 'backoff', bridge.after_ms((args->>'retryInMs')::bigint));
  end if;
  return 'true';
end
$$;

create or replace function bridge.wake(args jsonb) returns jsonb
language plpgsql as $$
declare
  woken text[];
begin
  insert into bridge.location_wakes as wakes (location_id, woken_token)
  values (args->>'locationId', 0)
  on conflict (location_id) do update set woken_token = wakes.woken_token;
  -- Drawn under the row's lock, so that it only rises.
  update bridge.location_wakes wakes set woken_token = nextval('bridge.claim_tokens')
  where wakes.location_id = args->>'locationId';
  if args->>'cured' is not null then
    update bridge.location_wakes wakes
    set cures = wakes.cures || jsonb_build_object(args->>'cured', wakes.woken_token)
    where wakes.location_id = args->>'locationId';
  end if;
  select coalesce(array_agg(waiting.key), '{}') into woken from (
    select lane.key from bridge.lanes lane
    where lane.location_id = args->>'locationId' and (lane.state = 'parked'
      or lane.state = 'backoff' and args->>'cured' = (
        select bridge.ailment(head.error_code) from bridge.jobs head
        where head.lane = lane.key and head.state = 'waiting' order by head.id limit 1))
    order by lane.key for update
  ) waiting;
  update bridge.lanes lane set state = 'ready', ready_at = clock_timestamp(), touched_at = now()
  where lane.key = any (woken) and lane.state in ('parked', 'backoff');
  return 'true';
end
$$;

create index if not exists lanes_backing_off_by_location on bridge.lanes (location_id) where state = 'backoff';

select bridge.finish_migration(24, '0024_cures', 1, array['retry', 'wake']);
notify pgrst, 'reload schema';
