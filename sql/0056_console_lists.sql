-- 0056 Long work by page and by kind, an audit that names people and places, and failed or held messages settled many at a time. Why: thousands of runs ended at 200, ids told nobody who did what, and "all" meant the fifty on the screen. Oldest program: 1.

-- Internal. One whose holder has said nothing for too long was interrupted.
create or replace function bridge.sync_state(sync bridge.sync_status) returns text
language sql stable as $$
  select case when sync.state = 'running' and sync.until <= clock_timestamp() then 'interrupted' else sync.state end
$$;

create or replace function bridge.sync_json(sync bridge.sync_status) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'kind', sync.kind,
    'scope', sync.scope,
    'name', coalesce(
      (select max(account.location_name) from bridge.ghl_accounts account where account.location_id = sync.scope),
      (select max(account.company_name) from bridge.ghl_accounts account
        where account.company_id = sync.scope and account.user_type = 'Company')),
    'state', bridge.sync_state(sync),
    'cursor', sync.cursor,
    'total', sync.total,
    'done', sync.done,
    'failed', sync.failed,
    'message', sync.message,
    'startedAt', bridge.to_ms(sync.started_at),
    'finishedAt', bridge.to_ms(sync.finished_at))
$$;

-- Internal. Their order, the latest last; each has its own.
create or replace function bridge.sync_rank(sync bridge.sync_status) returns text
language sql stable as $$
  select lpad((extract(epoch from sync.updated_at) * 1000000)::bigint::text, 20, '0') || ' ' || sync.kind || ' ' || sync.scope
$$;

-- Latest first. The cursor is the `lastRank` of the page before.
create or replace function bridge.page_syncs(args jsonb) returns jsonb
language sql stable as $$
  with wanted as (
    select sync, bridge.sync_rank(sync) collate "C" as rank from bridge.sync_status sync
    where (args->>'kind' is null or sync.kind = args->>'kind')
      and (args->>'scope' is null or sync.scope = args->>'scope')
      and (args->>'state' is null or bridge.sync_state(sync) = args->>'state')
  ), page as (
    select * from wanted
    where args->>'cursor' is null or wanted.rank < (args->>'cursor') collate "C"
    order by wanted.rank desc limit (args->>'limit')::int
  )
  select jsonb_build_object(
    'syncs', (select coalesce(jsonb_agg(bridge.sync_json(page.sync) order by page.rank desc), '[]') from page),
    'lastRank', (select min(page.rank) from page),
    'total', (select count(*) from wanted))
$$;

-- How the last run of each scope stands, by kind.
create or replace function bridge.count_syncs(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(counted.json order by counted.kind), '[]')
  from (
    select sync.kind, jsonb_build_object(
      'kind', sync.kind,
      'running', count(*) filter (where bridge.sync_state(sync) = 'running'),
      'interrupted', count(*) filter (where bridge.sync_state(sync) = 'interrupted'),
      'failed', count(*) filter (where bridge.sync_state(sync) = 'failed'),
      'done', count(*) filter (where bridge.sync_state(sync) = 'done'),
      'latestAt', bridge.to_ms(max(sync.updated_at))) as json
    from bridge.sync_status sync group by sync.kind
  ) counted
$$;

-- Newest first, with the names of what the ids stand for: a key that was revoked and a number that was removed have theirs still.
create or replace function bridge.list_audit(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'entries', coalesce(jsonb_agg(jsonb_build_object(
      'id', page.id::text,
      'at', bridge.to_ms(page.at),
      'callerKind', page.caller_kind,
      'callerId', page.caller_id,
      'callerName', (select key.name from bridge.service_keys key where key.id = page.caller_id),
      'action', page.action,
      'locationId', page.location_id,
      'locationName', (select max(account.location_name) from bridge.ghl_accounts account
        where account.location_id = page.location_id),
      'target', page.target,
      'targetName', coalesce(
        (select key.name from bridge.service_keys key where key.id = page.target),
        (select coalesce(session.name, session.phone_number) from bridge.sessions session where session.id = page.target),
        (select coalesce(account.location_name, account.company_name) from bridge.ghl_accounts account
          where account.id = page.target)),
      'outcome', page.outcome) order by page.id desc), '[]'),
    'lastId', min(page.id)::text)
  from (
    select * from bridge.audit entry
    where (args->>'locationId' is null or entry.location_id = args->>'locationId')
      and (args->>'callerId' is null or entry.caller_id = args->>'callerId')
      and (args->>'before' is null or entry.id < (args->>'before')::bigint)
    order by entry.id desc limit (args->>'limit')::int
  ) page
$$;

-- Internal. What is held or discarded is no work, which is announced when it is enqueued: pages would hear of it at their next look.
create or replace function bridge.announce_message() returns trigger
language plpgsql as $$
begin
  perform bridge.announce('work', new.location_id);
  return null;
end
$$;
create or replace trigger messages_announced after insert or update of state, discarded_at on bridge.messages
for each row when (new.state = 'held' or new.discarded_at is not null) execute function bridge.announce_message();

-- Internal. Failed or held, both or as asked for, and not discarded. (Set-returning and plain SQL, so that the planner sees into it.)
create or replace function bridge.waiting_messages(args jsonb) returns setof bridge.messages
language sql stable as $$
  select message.* from bridge.messages message
  where message.state in ('failed', 'held') and message.discarded_at is null
    and (args->>'state' is null or message.state = args->>'state')
    and (args->>'locationId' is null or message.location_id = args->>'locationId')
    and (args->>'sessionId' is null or message.session_id = args->>'sessionId')
$$;

-- `upTo` is the newest of them: what comes later was not seen by whoever decides.
create or replace function bridge.count_waiting(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'messages', count(*),
    'held', count(*) filter (where waiting.state = 'held'),
    'locations', count(distinct waiting.location_id),
    'upTo', max(waiting.seq)::text)
  from bridge.waiting_messages(args) waiting
$$;

-- Retries or discards the oldest `limit` of them behind `after`, so that one that fails again at once is not met twice.
-- `lastSeq` is where the next batch begins; null when there is none.
create or replace function bridge.settle_waiting(args jsonb) returns jsonb
language plpgsql as $$
declare
  waiting record;
  answer jsonb;
  seen int := 0;
  done int := 0;
  last_seq bigint;
begin
  for waiting in
    select message.id, message.seq from bridge.waiting_messages(args) message
    where message.seq > coalesce((args->>'after')::bigint, 0)
      and (args->>'upTo' is null or message.seq <= (args->>'upTo')::bigint)
    order by message.seq limit (args->>'limit')::int
  loop
    answer := case args->>'deed'
      when 'retry' then bridge.retry_message(jsonb_build_object('id', waiting.id))
      else bridge.discard_message(jsonb_build_object('id', waiting.id, 'discarded', args->'discarded')) end;
    seen := seen + 1;
    done := done + (answer->>'wasWaiting')::boolean::int;
    last_seq := waiting.seq;
  end loop;
  return jsonb_build_object('done', done, 'lastSeq', case when seen = (args->>'limit')::int then last_seq::text end);
end
$$;

select bridge.finish_migration(56, '0056_console_lists', 1, array[
  'page_syncs', 'count_syncs', 'list_audit', 'count_waiting', 'settle_waiting']);
notify pgrst, 'reload schema';
