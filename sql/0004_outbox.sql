-- 0004 The outbox: lanes and jobs. Why: what we owe must be delivered in order per chat, whatever is killed when. Oldest program: 1.
--
-- The ordering rule. A lane is one conversation; its jobs are done one at a time in the order of their ids, and a job that
-- is not settled holds back the ones behind it. Ids are drawn only while the lane's row is locked, and the lock lasts until
-- the transaction commits. So within a lane id order is commit order: nobody can see job 8 and later find a job 7 in front
-- of it. Drawing the id first (an insert that locks the lane afterwards, or a default evaluated before the lock) breaks
-- this silently; keep the property test.
--
-- Who may work: a lane is claimed by moving ready_at past now, so a claim that is never settled ends by itself. The claimed
-- job gets a token from a sequence; only the current token settles it, so a worker that overran its lease changes nothing.
-- The token stands on the job and not on the lane, because lanes are joined when two contacts turn out to be one person:
-- a job in flight then stays settleable under its new lane.
--
-- Alternatives considered: "select ... for update skip locked" over jobs alone orders only within one claim; a per-lane
-- sequence number costs a row of its own to lock anyway; advisory locks break behind poolers and over HTTP; the libraries
-- (pg-boss, graphile-worker, pgmq, BullMQ) each miss order, hold-back or one of the three drivers.

create table if not exists bridge.lanes (
  key text not null constraint lanes_pk primary key,
  location_id text not null,
  state text not null constraint lanes_state check (state in ('empty', 'ready', 'leased', 'backoff', 'parked')),
  ready_at timestamptz,
  joined_until timestamptz,
  touched_at timestamptz not null default now(),
  constraint lanes_empty_means_no_time check ((state = 'empty') = (ready_at is null))
);
create index if not exists lanes_by_ready_at on bridge.lanes (ready_at) where ready_at is not null;
create index if not exists lanes_parked_by_location on bridge.lanes (location_id) where state = 'parked';
create index if not exists lanes_prunable on bridge.lanes (touched_at) where state = 'empty';
comment on table bridge.lanes is
  'One row per conversation with something to deliver. Emptied rows stay for a while: deleting and making them again costs more.';
comment on column bridge.lanes.ready_at is
  'When the lane may be claimed: now, after a back-off or a wait, or when the lease of the job in flight ends.';
comment on column bridge.lanes.joined_until is
  'Until then a job in flight may be in the lane that was not claimed with it: it came with a lane that was joined.';
comment on column bridge.lanes.state is
  'Why it waits. parked: for an outside change, which bridge.wake announces; backoff: an attempt failed.';

create sequence if not exists bridge.claim_tokens;

create table if not exists bridge.jobs (
  id bigint not null generated always as identity constraint jobs_pk primary key,
  lane text not null constraint jobs_lane references bridge.lanes,
  kind text not null constraint jobs_kind check (kind in ('inbound', 'outbound', 'ghl_status', 'note')),
  subject text not null,
  state text not null default 'waiting' constraint jobs_state check (state in ('waiting', 'dead')),
  attempts int not null default 0,
  may_have_happened boolean not null default false,
  token bigint,
  claimed_by text,
  leased_until timestamptz,
  error_code text,
  error_message text,
  created_at timestamptz not null default now(),
  dead_at timestamptz
);
create index if not exists jobs_waiting_by_lane on bridge.jobs (lane, id) where state = 'waiting';
create index if not exists jobs_dead on bridge.jobs (id) where state = 'dead';
create index if not exists jobs_dead_by_lane on bridge.jobs (lane) where state = 'dead';
create unique index if not exists jobs_one_per_message on bridge.jobs (kind, subject)
  where kind in ('inbound', 'outbound');
comment on table bridge.jobs is
  'What we owe, one row each; gone when done (the message row remembers), kept as a dead letter when given up.';
comment on column bridge.jobs.subject is 'The message id; <locationId>/<ghlMessageId> for ghl_status.';
comment on column bridge.jobs.attempts is 'Counted at the claim, so that an attempt that crashed the process counts.';
comment on column bridge.jobs.token is 'Set while claimed. A claim that meets a token here meets an attempt that was never settled.';
comment on column bridge.jobs.claimed_by is
  'The claim id, or the token of the completed job this one was handed out after: a repeated call gets the same answer.';

create table if not exists bridge.location_wakes (
  location_id text not null constraint location_wakes_pk primary key,
  woken_token bigint not null
);
comment on table bridge.location_wakes is
  'A location''s last wake, so that a job claimed before it and parked after it does not sleep through it.';
comment on column bridge.location_wakes.woken_token is
  'From the sequence of the claims'' tokens: which came first is then no question of clocks.';

-- Internal. Locks (makes) the lane, then draws the id: the order of these two statements is the ordering rule above.
create or replace function bridge.enqueue(lane_key text, lane_location text, job_kind text, job_subject text)
returns void language plpgsql as $$
begin
  insert into bridge.lanes as lane (key, location_id, state, ready_at)
  values (lane_key, lane_location, 'ready', clock_timestamp())
  on conflict (key) do update set state = 'ready', ready_at = excluded.ready_at, touched_at = now()
    where lane.state = 'empty'; -- the row is locked even where this is false
  insert into bridge.jobs (lane, kind, subject) values (lane_key, job_kind, job_subject);
  perform bridge.announce('work', lane_location);
end
$$;

-- Internal. For jobs that read the state of their message when they run, each on a lane of its own: one that waits covers
-- every change until then. One in flight does not: it may have read already. Callers that need several do so in the order
-- of the lane keys.
create or replace function bridge.enqueue_once(lane_key text, lane_location text, job_kind text, job_subject text)
returns void language plpgsql as $$
begin
  insert into bridge.lanes (key, location_id, state) values (lane_key, lane_location, 'empty')
  on conflict (key) do update set touched_at = now(); -- makes or locks it
  if exists (
    select from bridge.jobs job where job.lane = lane_key and job.state = 'waiting' and job.token is null
  ) then
    return;
  end if;
  perform bridge.enqueue(lane_key, lane_location, job_kind, job_subject);
end
$$;

-- Internal. Tell GHL what became of one of its messages.
create or replace function bridge.enqueue_ghl_status(location text, ghl_message text) returns void
language sql as $$
  select bridge.enqueue_once(
    'status:' || location || ':' || ghl_message, location, 'ghl_status', location || '/' || ghl_message)
$$;

-- Internal. Tell the people in the contact's GHL conversation what became of a message; never in the way of the chat.
create or replace function bridge.enqueue_note(location text, message_id text) returns void
language sql as $$
  select bridge.enqueue_once('note:' || location || ':' || message_id, location, 'note', message_id)
$$;

create or replace function bridge.job_json(job bridge.jobs) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'jobId', job.id::text,
    'lane', job.lane,
    'token', job.token::text,
    'kind', job.kind,
    'subject', job.subject,
    'attempts', job.attempts,
    'mayHaveHappened', job.may_have_happened)
$$;

-- Internal; the lane is locked by the caller in an earlier statement, so this one sees every job committed to it.
-- Leases the lane's oldest job; a lane without one becomes empty and the answer null.
create or replace function bridge.lease_head(lane_key text, lease_ms bigint, claimer text) returns jsonb
language plpgsql as $$
declare
  head_id bigint;
  head bridge.jobs;
begin
  select job.id into head_id from bridge.jobs job
  where job.lane = lane_key and job.state = 'waiting'
  order by job.id limit 1;
  if not found then
    update bridge.lanes lane set state = 'empty', ready_at = null, touched_at = now() where lane.key = lane_key;
    return null;
  end if;
  update bridge.jobs job
  set attempts = job.attempts + 1,
    may_have_happened = job.may_have_happened or job.token is not null,
    token = nextval('bridge.claim_tokens'),
    claimed_by = claimer,
    leased_until = bridge.after_ms(lease_ms)
  where job.id = head_id
  returning * into head;
  update bridge.lanes lane set state = 'leased', ready_at = head.leased_until, touched_at = now()
  where lane.key = lane_key;
  return bridge.job_json(head);
end
$$;

-- Takes the oldest job of up to "limit" ready lanes of the given locations (of all, when none are given). "skip locked" lets nodes claim side by side; a lane that somebody is
-- writing to is simply taken a moment later. The heads are read in a statement of their own: the one that locks may have
-- a snapshot from before the lane's last change.
create or replace function bridge.claim(args jsonb) returns jsonb
language plpgsql as $$
declare
  mine text[] := case when jsonb_typeof(args->'locations') = 'array'
    then array(select jsonb_array_elements_text(args->'locations')) end;
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
    select coalesce(array_agg(ready.key), '{}') into lane_keys from (
      select lane.key from bridge.lanes lane
      where lane.ready_at <= clock_timestamp() and (mine is null or lane.location_id = any (mine))
      order by lane.ready_at
      limit (args->>'limit')::int
      for update skip locked
    ) ready;
    foreach lane_key in array lane_keys loop
      -- Null, for a lane that turned out empty, adds nothing.
      taken := taken || coalesce(bridge.lease_head(lane_key, (args->>'leaseMs')::bigint, args->>'claimId'), '[]');
    end loop;
  end if;
  select min(lane.ready_at) into next_at from bridge.lanes lane
  where lane.ready_at is not null and (mine is null or lane.location_id = any (mine));
  return jsonb_build_object(
    'jobs', taken,
    -- A lane that is due already but was not taken is locked by somebody: soon, not in a busy loop.
    'nextInMs', case when next_at is not null
      then greatest(ceil(extract(epoch from next_at - clock_timestamp()) * 1000), 5) end);
end
$$;

-- Internal. Locks the lane of a claimed job and returns its key; null when the claim is lost. The job's lane can change
-- (contacts join) until its row is locked, so look again after locking.
create or replace function bridge.lock_claimed(job_id bigint, job_token bigint) returns text
language plpgsql as $$
declare
  lane_key text;
  lane_now text;
begin
  loop
    select job.lane into lane_key from bridge.jobs job where job.id = job_id and job.token = job_token;
    if not found then
      return null;
    end if;
    perform from bridge.lanes lane where lane.key = lane_key for update;
    select job.lane into lane_now from bridge.jobs job where job.id = job_id and job.token = job_token;
    if not found then
      return null;
    elsif lane_now = lane_key then
      return lane_key;
    end if;
  end loop;
end
$$;

-- Internal. Until when another job of the lane is in flight, null for none. Possible only after lanes were joined.
create or replace function bridge.in_flight_until(lane_key text) returns timestamptz
language plpgsql stable as $$
begin
  if not exists (
    select from bridge.lanes lane where lane.key = lane_key and lane.joined_until > clock_timestamp()
  ) then
    return null;
  end if;
  return (
    select max(job.leased_until) from bridge.jobs job
    where job.lane = lane_key and job.state = 'waiting' and job.token is not null
      and job.leased_until > clock_timestamp()
  );
end
$$;

-- Internal. Sets a lane by what is in it: empty, or waiting in the given way, but never before a job in flight is settled.
create or replace function bridge.rest_lane(lane_key text, rest_state text, rest_until timestamptz) returns void
language plpgsql as $$
declare
  busy_until timestamptz := bridge.in_flight_until(lane_key);
begin
  if not exists (select from bridge.jobs job where job.lane = lane_key and job.state = 'waiting') then
    update bridge.lanes lane set state = 'empty', ready_at = null, touched_at = now() where lane.key = lane_key;
  else
    update bridge.lanes lane
    set state = case when busy_until is null then rest_state else 'leased' end,
      ready_at = greatest(rest_until, busy_until), -- null is passed over
      touched_at = now()
    where lane.key = lane_key;
  end if;
end
$$;

-- Ends a job and hands out the lane's next one. Repeated (the first answer was lost), it hands out the same one again.
create or replace function bridge.complete(args jsonb) returns jsonb
language plpgsql as $$
declare
  job_id bigint := (args->>'jobId')::bigint;
  lane_key text := bridge.lock_claimed(job_id, (args->>'token')::bigint);
begin
  if lane_key is null then
    return (
      select bridge.job_json(job) from bridge.jobs job
      where job.lane = args->>'lane' and job.state = 'waiting' and job.token is not null
        and job.claimed_by = 'after:' || (args->>'token')
    );
  end if;
  delete from bridge.jobs job where job.id = job_id;
  if bridge.in_flight_until(lane_key) is not null then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
    return null;
  end if;
  return bridge.lease_head(lane_key, (args->>'leaseMs')::bigint, 'after:' || (args->>'token'));
end
$$;

-- The handler needs longer than the lease. False when the claim is lost.
create or replace function bridge.extend(args jsonb) returns jsonb
language plpgsql as $$
declare
  lane_key text := bridge.lock_claimed((args->>'jobId')::bigint, (args->>'token')::bigint);
  leased timestamptz := bridge.after_ms((args->>'leaseMs')::bigint);
begin
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job set leased_until = leased where job.id = (args->>'jobId')::bigint;
  update bridge.lanes lane set ready_at = greatest(lane.ready_at, leased), touched_at = now()
  where lane.key = lane_key and lane.state = 'leased';
  return 'true';
end
$$;

create or replace function bridge.retry(args jsonb) returns jsonb
language plpgsql as $$
declare
  lane_key text := bridge.lock_claimed((args->>'jobId')::bigint, (args->>'token')::bigint);
begin
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job
  set token = null, may_have_happened = job.may_have_happened or (args->>'mayHaveHappened')::boolean,
    error_code = args->>'code', error_message = args->>'message'
  where job.id = (args->>'jobId')::bigint;
  perform bridge.rest_lane(lane_key, 'backoff', bridge.after_ms((args->>'retryInMs')::bigint));
  return 'true';
end
$$;

-- A parked attempt had no effect: it is given back, and what earlier attempts may have done stays as it was. The wake
-- row is locked first, in the order of bridge.wake, so that either this park is seen by the wake or the wake by this park.
create or replace function bridge.park(args jsonb) returns jsonb
language plpgsql as $$
declare
  job_token bigint := (args->>'token')::bigint;
  lane_key text;
  location text;
  last_wake bigint;
begin
  select lane.location_id into location
  from bridge.jobs claimed join bridge.lanes lane on lane.key = claimed.lane
  where claimed.id = (args->>'jobId')::bigint;
  insert into bridge.location_wakes (location_id, woken_token) select location, 0 where location is not null
  on conflict do nothing;
  select wakes.woken_token into last_wake from bridge.location_wakes wakes where wakes.location_id = location for share;
  lane_key := bridge.lock_claimed((args->>'jobId')::bigint, job_token);
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs claimed
  set token = null, attempts = claimed.attempts - 1, error_code = args->>'code', error_message = args->>'message'
  where claimed.id = (args->>'jobId')::bigint;
  if last_wake > job_token then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  else
    perform bridge.rest_lane(lane_key, 'parked', bridge.after_ms((args->>'parkMs')::bigint));
  end if;
  return 'true';
end
$$;

create or replace function bridge.bury(args jsonb) returns jsonb
language plpgsql as $$
declare
  lane_key text := bridge.lock_claimed((args->>'jobId')::bigint, (args->>'token')::bigint);
begin
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job
  set state = 'dead', token = null, dead_at = now(), error_code = args->>'code', error_message = args->>'message'
  where job.id = (args->>'jobId')::bigint;
  perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  return 'true';
end
$$;

create or replace function bridge.wake(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.location_wakes as wakes (location_id, woken_token)
  values (args->>'locationId', 0)
  on conflict (location_id) do update set woken_token = wakes.woken_token;
  -- Drawn under the row's lock, so that it only rises.
  update bridge.location_wakes wakes set woken_token = nextval('bridge.claim_tokens')
  where wakes.location_id = args->>'locationId';
  perform from bridge.lanes lane
  where lane.location_id = args->>'locationId' and lane.state = 'parked' order by lane.key for update;
  update bridge.lanes lane set state = 'ready', ready_at = clock_timestamp(), touched_at = now()
  where lane.location_id = args->>'locationId' and lane.state = 'parked';
  return 'true';
end
$$;

create or replace function bridge.depth(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'waiting', (select count(*) from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting' and lane.state <> 'parked'),
    'parked', (select count(*) from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting' and lane.state = 'parked'),
    'dead', (select count(*) from bridge.jobs job where job.state = 'dead'))
$$;

-- Internal. Joins one lane into another when their contacts are one person. Both waited apart; from now on ids decide,
-- and ids are commit order, which is as near to the order of the chat as can be known. Keeping the old lane instead would
-- let a newer message overtake an older one. A job in flight moves too: its token still settles it, and the joined lane
-- waits for it. A wait or back-off of either lane ends early, which costs at most one attempt too soon.
-- The caller has locked both lanes.
create or replace function bridge.join_lanes(from_key text, to_key text) returns void
language plpgsql as $$
begin
  update bridge.jobs job set lane = to_key where job.lane = from_key;
  update bridge.lanes lane
  set joined_until = (
    select max(job.leased_until) from bridge.jobs job
    where job.lane = to_key and job.state = 'waiting' and job.token is not null)
  where lane.key = to_key;
  perform bridge.rest_lane(to_key, 'ready', clock_timestamp());
  delete from bridge.lanes lane where lane.key = from_key;
end
$$;

select bridge.finish_migration(4, '0004_outbox', 1, array[
  'claim', 'extend', 'complete', 'retry', 'park', 'bury', 'wake', 'depth']);
notify pgrst, 'reload schema';
