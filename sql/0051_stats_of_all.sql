-- 0051 Figures of everybody come without those of each number. Why: nobody reads thousands of numbers, and sorting their times was most of the work. Oldest program: 1.

-- What came in [from, to), and what became of it by now; of one location, one number, or everybody. Without what was imported.
-- Each number's own only where a location or a number is named.
create or replace function bridge.stats(args jsonb)
returns jsonb language plpgsql stable as $$
declare
  answer jsonb;
begin
  with chosen as (
    select message.session_id, message.origin, message.state, message.discarded_at, message.created_at,
      extract(epoch from message.acked_at - message.created_at) as sent_after,
      extract(epoch from message.arrived_at - message.created_at) as delivered_after
    from bridge.messages message
    where message.created_at >= bridge.from_ms((args->>'fromMs')::bigint)
      and message.created_at < bridge.from_ms((args->>'toMs')::bigint)
      and not message.is_history
      and (args->>'locationId' is null or message.location_id = args->>'locationId')
      and (args->>'sessionId' is null or message.session_id = args->>'sessionId')
  ), told as (
    select true as is_all, null as session_id, origin, sent_after, delivered_after from chosen
    union all
    select false, session_id, origin, sent_after, delivered_after from chosen
    where session_id is not null and (args->>'locationId' is not null or args->>'sessionId' is not null)
  ), timed as (
    select is_all, session_id,
      count(*) filter (where origin <> 'ghl') as came,
      count(*) filter (where origin = 'ghl') as went,
      bridge.timing_json(
        count(delivered_after) filter (where origin = 'customer'),
        percentile_cont(array[0.5, 0.95]) within group (order by delivered_after) filter (where origin = 'customer')) as to_ghl,
      bridge.timing_json(
        count(sent_after) filter (where origin = 'ghl'),
        percentile_cont(array[0.5, 0.95]) within group (order by sent_after) filter (where origin = 'ghl')) as to_whatsapp,
      bridge.timing_json(
        count(delivered_after) filter (where origin = 'ghl'),
        percentile_cont(array[0.5, 0.95]) within group (order by delivered_after) filter (where origin = 'ghl')) as to_phone
    from told group by is_all, session_id
  ), hours as (
    select date_trunc('hour', created_at) as hour,
      count(*) filter (where origin <> 'ghl') as came, count(*) filter (where origin = 'ghl') as went
    from chosen group by 1
  )
  select jsonb_build_object(
    'inbound', jsonb_build_object(
      'received', count(*) filter (where origin <> 'ghl'),
      'inGhl', count(*) filter (where origin <> 'ghl' and state in ('sent', 'delivered', 'read')),
      'waiting', count(*) filter (where origin <> 'ghl' and state in ('received', 'queued')),
      'failed', count(*) filter (where origin <> 'ghl' and state = 'failed' and discarded_at is null),
      'discarded', count(*) filter (where origin <> 'ghl' and state in ('failed', 'ignored') and discarded_at is not null)),
    'outbound', jsonb_build_object(
      'accepted', count(*) filter (where origin = 'ghl'),
      'sent', count(*) filter (where origin = 'ghl' and state in ('sent', 'delivered', 'read')),
      'delivered', count(*) filter (where origin = 'ghl' and state in ('delivered', 'read')),
      'read', count(*) filter (where origin = 'ghl' and state = 'read'),
      'failed', count(*) filter (where origin = 'ghl' and state = 'failed' and discarded_at is null),
      'discarded', count(*) filter (where origin = 'ghl' and state in ('failed', 'ignored') and discarded_at is not null),
      'held', count(*) filter (where origin = 'ghl' and state = 'held'),
      'waiting', count(*) filter (where origin = 'ghl' and state in ('queued', 'sending'))),
    'hours', (select coalesce(jsonb_agg(jsonb_build_object(
      'at', bridge.to_ms(hour), 'inbound', came, 'outbound', went) order by hour), '[]') from hours),
    'timings', coalesce(
      (select jsonb_build_object('toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone) from timed where is_all),
      jsonb_build_object('toGhl', null, 'toWhatsApp', null, 'toPhone', null)),
    'numbers', (select coalesce(jsonb_agg(jsonb_build_object(
      'sessionId', session_id, 'inbound', came, 'outbound', went,
      'toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone) order by session_id), '[]')
      from timed where not is_all))
  into answer from chosen;
  return answer;
end
$$;

select bridge.finish_migration(51, '0051_stats_of_all', 1, array['stats']);
notify pgrst, 'reload schema';
