-- 0021 How the whole bridge stands at this moment, in numbers only. Why: what watches it (/metrics) asks for them several times a minute. Oldest program: 1.

-- Messages of the last day (without what was imported) by what became of them; the queue, numbers and installations as they are now.
create or replace function bridge.census(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'messages', (select coalesce(jsonb_agg(jsonb_build_object('direction', direction, 'state', state, 'count', counted)), '[]')
      from (select message.direction, message.state, count(*) as counted from bridge.messages message
        where message.created_at >= now() - interval '1 day' and not message.is_history
        group by message.direction, message.state) by_state),
    'queue', (select jsonb_build_object(
        'waiting', count(*) filter (where lane.state <> 'parked'),
        'parked', count(*) filter (where lane.state = 'parked'),
        'oldestWaitingMs', round(extract(epoch from
          clock_timestamp() - min(job.created_at) filter (where lane.state <> 'parked')) * 1000))
        || jsonb_build_object('dead', (select count(*) from bridge.jobs buried where buried.state = 'dead'))
      from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting'),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select session.status, count(*) as counted from bridge.sessions session group by session.status) by_status),
    'installations', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select account.status, count(*) as counted from bridge.ghl_accounts account group by account.status) by_status))
$$;

select bridge.finish_migration(21, '0021_census', 1, array['census']);
notify pgrst, 'reload schema';
