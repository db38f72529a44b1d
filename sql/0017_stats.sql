-- 0017 When a message was sent and when it arrived, figures of a stretch of time, one message by its id. Why: pages show how the bridge does, and a page's caller must be checked against the message's location. Oldest program: 1.

alter table bridge.messages add column if not exists acked_at timestamptz;
alter table bridge.messages add column if not exists arrived_at timestamptz;
comment on column bridge.messages.acked_at is 'When WhatsApp''s server took it, or GHL what was typed on the phone.';
comment on column bridge.messages.arrived_at is 'When it arrived: on the customer''s phone, or in GHL.';

-- A trigger, because several functions move states and all of them must leave the same trace.
create or replace function bridge.note_progress() returns trigger
language plpgsql as $$
begin
  new.acked_at := coalesce(new.acked_at, clock_timestamp());
  if new.state <> 'sent' then
    new.arrived_at := coalesce(new.arrived_at, clock_timestamp());
  end if;
  return new;
end
$$;

drop trigger if exists messages_progress on bridge.messages;
create trigger messages_progress before update of state on bridge.messages for each row
when (new.state in ('sent', 'delivered', 'read') and new.state is distinct from old.state)
execute function bridge.note_progress();

-- Time runs with the order of rows here, so that a few kilobytes serve for "the last day of everybody".
create index if not exists messages_by_time on bridge.messages using brin (created_at);

create or replace function bridge.find_message(args jsonb) returns jsonb
language sql stable as $$
  select bridge.message_json(message) from bridge.messages message where message.id = args->>'id'
$$;

-- Milliseconds from our commit to the end of the way: half of them took at most p50, 19 of 20 at most p95.
create or replace function bridge.timing_json(counted bigint, points double precision[]) returns jsonb
language sql immutable as $$
  select case when counted > 0
    then jsonb_build_object('count', counted, 'p50Ms', round(points[1] * 1000), 'p95Ms', round(points[2] * 1000)) end
$$;

-- What came in [from, to), and what became of it by now; of one location, one number, or everybody. Without what was imported.
create or replace function bridge.stats(args jsonb) returns jsonb
language plpgsql stable as $$
declare
  answer jsonb;
begin
  with chosen as (
    select message.session_id, message.origin, message.state, message.created_at,
      extract(epoch from message.acked_at - message.created_at) as sent_after,
      extract(epoch from message.arrived_at - message.created_at) as delivered_after
    from bridge.messages message
    where message.created_at >= bridge.from_ms((args->>'fromMs')::bigint)
      and message.created_at < bridge.from_ms((args->>'toMs')::bigint)
      and not message.is_history
      and (args->>'locationId' is null or message.location_id = args->>'locationId')
      and (args->>'sessionId' is null or message.session_id = args->>'sessionId')
  ), timed as (
    select session_id, grouping(session_id) = 1 as is_all,
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
    from chosen group by grouping sets ((), (session_id))
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
      'failed', count(*) filter (where origin <> 'ghl' and state in ('failed', 'ignored'))),
    'outbound', jsonb_build_object(
      'accepted', count(*) filter (where origin = 'ghl'),
      'sent', count(*) filter (where origin = 'ghl' and state in ('sent', 'delivered', 'read')),
      'delivered', count(*) filter (where origin = 'ghl' and state in ('delivered', 'read')),
      'read', count(*) filter (where origin = 'ghl' and state = 'read'),
      'failed', count(*) filter (where origin = 'ghl' and state in ('failed', 'ignored')),
      'held', count(*) filter (where origin = 'ghl' and state = 'held'),
      'waiting', count(*) filter (where origin = 'ghl' and state in ('queued', 'sending'))),
    'hours', (select coalesce(jsonb_agg(jsonb_build_object(
      'at', bridge.to_ms(hour), 'inbound', came, 'outbound', went) order by hour), '[]') from hours),
    'timings', (select jsonb_build_object('toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone)
      from timed where is_all),
    'numbers', (select coalesce(jsonb_agg(jsonb_build_object(
      'sessionId', session_id, 'inbound', came, 'outbound', went,
      'toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone) order by session_id), '[]')
      from timed where not is_all and session_id is not null))
  into answer from chosen;
  return answer;
end
$$;

select bridge.finish_migration(17, '0017_stats', 1, array['find_message', 'stats']);
notify pgrst, 'reload schema';
