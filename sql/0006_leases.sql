-- 0006 Leases of nodes on locations, with fences. Why: two copies run at every deploy, and one location has one owner. Oldest program: 1.
--
-- A lease is on a location, not on a single number: its numbers, its lanes, its rate limit and its tokens are then in one
-- hand, and no job has to be handed from node to node (docs/decisions/0006). A fresh lease draws a higher fence, and every
-- write for a session carries the fence it was made under, so a node that was stalled past its lease changes nothing.
-- Expiry is by the database's clock.

create sequence if not exists bridge.fences;

create table if not exists bridge.leases (
  location_id text not null constraint leases_pk primary key,
  node text,
  fence bigint not null,
  until timestamptz not null
);
create index if not exists leases_by_node on bridge.leases (node);
comment on table bridge.leases is 'Which node works for which location, until when. A row whose time has passed is free.';

create table if not exists bridge.nodes (
  id text not null constraint nodes_pk primary key,
  until timestamptz not null
);
comment on table bridge.nodes is 'Nodes that were alive a moment ago, to share the locations out evenly.';

-- Internal. Takes one free location: a higher fence, and the lanes that a dead owner was working on are free at once.
-- Their jobs keep the dead owner's token, so the next claim knows that they may have happened.
create or replace function bridge.take_lease(location text, taker text, ttl_ms bigint, is_alone boolean) returns bigint
language plpgsql as $$
declare
  drawn bigint;
begin
  insert into bridge.leases as lease (location_id, node, fence, until)
  values (location, taker, nextval('bridge.fences'), bridge.after_ms(ttl_ms))
  on conflict (location_id) do update set node = taker, fence = nextval('bridge.fences'), until = excluded.until
    where is_alone or lease.until <= clock_timestamp() or lease.node is null
  returning lease.fence into drawn;
  if drawn is not null then
    perform from bridge.lanes lane
    where lane.location_id = location and lane.state = 'leased' order by lane.key for update;
    update bridge.lanes lane set state = 'ready', ready_at = clock_timestamp(), touched_at = now()
    where lane.location_id = location and lane.state = 'leased';
    update bridge.jobs job set leased_until = clock_timestamp()
    from bridge.lanes lane
    where lane.key = job.lane and lane.location_id = location and job.leased_until > clock_timestamp();
  end if;
  return drawn;
end
$$;

-- Internal. What is to be owned: numbers, work that waits, and 'bridge-chores', whose owner does what runs on one node.
create or replace function bridge.locations_with_work() returns table (location_id text)
language sql stable as $$
  select session.location_id from bridge.sessions session
  union select lane.location_id from bridge.lanes lane where lane.state <> 'empty'
  union select 'bridge-chores'
$$;

-- One statement per node and beat: renews all its leases, takes its share of the free locations, and says which ones are
-- more than its share. "isAlone" is for the embedded store, whose folder is locked: whoever held a lease there is dead.
create or replace function bridge.tend_leases(args jsonb) returns jsonb
language plpgsql as $$
declare
  me text := args->>'node';
  ttl_ms bigint := (args->>'ttlMs')::bigint;
  is_alone boolean := coalesce((args->>'isAlone')::boolean, false);
  node_count int;
  location_count int;
  share int;
  held_count int;
  location text;
begin
  insert into bridge.nodes (id, until) values (me, bridge.after_ms(ttl_ms))
  on conflict (id) do update set until = excluded.until;
  delete from bridge.nodes node where node.until < clock_timestamp() - interval '1 hour';
  update bridge.leases lease set until = bridge.after_ms(ttl_ms)
  where lease.node = me and lease.until > clock_timestamp();
  select count(*) into node_count from bridge.nodes node where node.until > clock_timestamp();
  select count(*) into location_count from bridge.locations_with_work() located;
  share := case when is_alone then location_count else ceil(location_count::numeric / node_count) end;
  select count(*) into held_count from bridge.leases lease where lease.node = me and lease.until > clock_timestamp();
  for location in
    select wanted.location_id from bridge.locations_with_work() wanted
    left join bridge.leases lease on lease.location_id = wanted.location_id
    where lease.location_id is null or lease.node is null or lease.until <= clock_timestamp()
      or (is_alone and lease.node <> me)
    order by wanted.location_id
    limit greatest(share - held_count, 0)
  loop
    perform bridge.take_lease(location, me, ttl_ms, is_alone);
  end loop;
  return jsonb_build_object(
    'held', (
      select coalesce(jsonb_agg(jsonb_build_object('locationId', lease.location_id, 'fence', lease.fence::text)
        order by lease.location_id), '[]')
      from bridge.leases lease where lease.node = me and lease.until > clock_timestamp()),
    'excess', greatest(held_count - share, 0));
end
$$;

-- Hand-over: whoever listens takes them at once.
create or replace function bridge.release_leases(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.leases lease set node = null, until = clock_timestamp()
  where lease.node = args->>'node'
    and (not args ? 'locations' or lease.location_id in (select jsonb_array_elements_text(args->'locations')));
  if not args ? 'locations' then
    delete from bridge.nodes node where node.id = args->>'node';
  end if;
  perform bridge.announce('leases', 'free');
  return 'true';
end
$$;

-- Runs a function for a session, but only under the lease it was called under: BR001 otherwise, and nothing happens. The
-- shared lock keeps the lease from changing hands until this has committed.
create or replace function bridge.fenced(args jsonb) returns jsonb
language plpgsql as $$
declare
  answer jsonb;
begin
  perform from bridge.leases lease
  join bridge.sessions session on session.location_id = lease.location_id
  where session.id = args->>'sessionId' and lease.fence = (args->>'fence')::bigint and lease.until > clock_timestamp()
  for share of lease;
  if not found then
    raise exception 'the lease on this session is lost' using errcode = 'BR001';
  end if;
  execute format('select bridge.%I($1)', args->>'fn') into answer using args->'args';
  return answer;
end
$$;

select bridge.finish_migration(6, '0006_leases', 1, array['tend_leases', 'release_leases', 'fenced']);
notify pgrst, 'reload schema';
