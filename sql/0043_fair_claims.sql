-- 0043 A claim is fair among locations. Why: one location's backlog, waiting for GHL's limit, held every place of a node, and all others waited with it. Oldest program: 1.

-- The lanes of one location that are due, and which locations have any, without reading those of the others.
create index if not exists lanes_by_location_and_time on bridge.lanes (location_id, ready_at) where ready_at is not null;

create or replace function bridge.job_json(job bridge.jobs) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'jobId', job.id::text,
    'lane', job.lane,
    'locationId', (select lane.location_id from bridge.lanes lane where lane.key = job.lane),
    'token', job.token::text,
    'kind', job.kind,
    'subject', job.subject,
    'attempts', job.attempts,
    'mayHaveHappened', job.may_have_happened)
$$;

-- Internal. The locations of which a lane has a time, found by stepping over the index.
create or replace function bridge.busy_locations(mine text[]) returns setof text
language sql stable as $$
  with recursive busy as (
    select min(lane.location_id) as id from bridge.lanes lane where lane.ready_at is not null
    union all
    select (select min(lane.location_id) from bridge.lanes lane
      where lane.ready_at is not null and lane.location_id > busy.id)
    from busy where busy.id is not null
  )
  select busy.id from busy where busy.id is not null and (mine is null or busy.id = any (mine))
$$;

-- A location has at most `perLocation` jobs in hand, those of `inHand` (what the claimer has, by location) included. Who has
-- fewest comes first; among equals, who waits longest. A program that says neither is served as before.
create or replace function bridge.claim(args jsonb) returns jsonb
language plpgsql as $$
declare
  mine text[] := case when jsonb_typeof(args->'locations') = 'array'
    then array(select jsonb_array_elements_text(args->'locations')) end;
  most int := (args->>'limit')::int;
  most_each int := coalesce((args->>'perLocation')::int, most);
  in_hand jsonb := coalesce(args->'inHand', '{}');
  lane_keys text[] := '{}';
  lane_key text;
  taken jsonb := '[]';
  next_at timestamptz;
begin
  if (args->>'isRepeat')::boolean then
    select coalesce(jsonb_agg(bridge.job_json(job)), '[]') into taken
    from bridge.jobs job where job.claimed_by = args->>'claimId' and job.token is not null;
  end if;
  if taken = '[]' then
    select coalesce(array_agg(fair.key order by fair.place, fair.ready_at), '{}') into lane_keys from (
      select ready.key, ready.ready_at, coalesce((in_hand->>busy.id)::int, 0)
        + row_number() over (partition by busy.id order by ready.ready_at) as place
      from bridge.busy_locations(mine) as busy(id)
      cross join lateral (
        select lane.key, lane.ready_at from bridge.lanes lane
        where lane.location_id = busy.id and lane.ready_at <= clock_timestamp()
        order by lane.ready_at
        limit least(most, greatest(most_each - coalesce((in_hand->>busy.id)::int, 0), 0))
        for update skip locked
      ) ready
      order by place, ready.ready_at
      limit most
    ) fair;
    foreach lane_key in array lane_keys loop
      -- Null, for a lane that turned out empty, adds nothing.
      taken := taken || coalesce(bridge.lease_head(lane_key, (args->>'leaseMs')::bigint, args->>'claimId'), '[]');
    end loop;
  end if;
  select min(soonest.ready_at) into next_at
  from bridge.busy_locations(mine) as busy(id)
  cross join lateral (
    select lane.ready_at from bridge.lanes lane
    where lane.location_id = busy.id and lane.ready_at is not null order by lane.ready_at limit 1
  ) soonest
  -- What a location with full hands has waiting is claimed when one of its jobs is settled.
  where coalesce((in_hand->>busy.id)::int, 0) + (
    select count(*) from jsonb_array_elements(taken) as job where job->>'locationId' = busy.id) < most_each;
  return jsonb_build_object(
    'jobs', taken,
    -- A lane that is due already but was not taken is locked by somebody: soon, not in a busy loop.
    'nextInMs', case when next_at is not null
      then greatest(ceil(extract(epoch from next_at - clock_timestamp()) * 1000), 5) end);
end
$$;

select bridge.finish_migration(43, '0043_fair_claims', 1, array['claim']);
notify pgrst, 'reload schema';
