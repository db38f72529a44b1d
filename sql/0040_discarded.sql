-- 0040 A discarded message waits for nobody. Why: one that had failed stayed under "needs you" for good, and one that was held counted as failed all day. Oldest program: 1.

alter table bridge.messages add column if not exists discarded_at timestamptz;
comment on column bridge.messages.discarded_at is 'When a person said to drop it. A failed one stays failed; a held one is ignored from then on.';
-- Ignored is what a discard made of a held message, and nothing else.
update bridge.messages message set discarded_at = message.updated_at
where message.state = 'ignored' and message.discarded_at is null;
create index if not exists messages_needed on bridge.messages (location_id, seq)
  where state in ('failed', 'held') and discarded_at is null;

create or replace function bridge.discard_message(args jsonb)
returns jsonb language plpgsql as $$
declare
  dropped bridge.messages;
begin
  select * into dropped from bridge.lock_waiting(args->>'id');
  if not found then
    return bridge.by_hand_json(args->>'id', false);
  end if;
  delete from bridge.jobs job
  where job.subject = dropped.id and job.kind = bridge.delivery_kind(dropped) and job.kind in ('inbound', 'outbound');
  update bridge.messages message
  set discarded_at = clock_timestamp(), updated_at = clock_timestamp(),
    state = case when message.state = 'held' then 'ignored' else message.state end,
    error = case when message.state = 'held' then args->'discarded' else message.error end
  where message.id = dropped.id;
  if dropped.state = 'held' then
    perform bridge.enqueue_ghl_status(dropped.location_id, dropped.ghl_message_id);
  end if;
  return bridge.by_hand_json(dropped.id, true);
end
$$;

create or replace function bridge.retry_message(args jsonb)
returns jsonb language plpgsql as $$
declare
  again bridge.messages;
  may_have boolean;
begin
  select * into again from bridge.lock_waiting(args->>'id');
  if not found then
    return bridge.by_hand_json(args->>'id', false);
  end if;
  delete from bridge.jobs job
  where job.subject = again.id and job.kind = bridge.delivery_kind(again) and job.kind in ('inbound', 'outbound')
  returning job.may_have_happened into may_have;
  update bridge.messages message
  set state = 'queued', error = null, attempts = 0, is_released = true, discarded_at = null, updated_at = clock_timestamp()
  where message.id = again.id;
  perform bridge.enqueue(
    bridge.delivery_lane(again), again.location_id, bridge.delivery_kind(again), again.id);
  -- A held one was never tried. A failed one whose dead letter was thrown away is an unknown.
  update bridge.jobs job set may_have_happened = again.state = 'failed' and coalesce(may_have, true)
  where job.subject = again.id and job.kind = bridge.delivery_kind(again) and job.kind in ('inbound', 'outbound');
  return bridge.by_hand_json(again.id, true);
end
$$;

create or replace function bridge.ledger(args jsonb)
returns jsonb language sql stable as $$
  select jsonb_build_object(
    'inbound', jsonb_build_object(
      'received', count(*) filter (where message.origin <> 'ghl'),
      'inGhl', count(*) filter (where message.origin <> 'ghl' and message.state in ('sent', 'delivered', 'read')),
      'waiting', count(*) filter (where message.origin <> 'ghl' and message.state in ('received', 'queued')),
      'failed', count(*) filter (where message.origin <> 'ghl' and message.state = 'failed' and message.discarded_at is null),
      'discarded', count(*) filter (where message.origin <> 'ghl' and message.state in ('failed', 'ignored') and message.discarded_at is not null)),
    'outbound', jsonb_build_object(
      'accepted', count(*) filter (where message.origin = 'ghl'),
      'sent', count(*) filter (where message.origin = 'ghl' and message.state in ('sent', 'delivered', 'read')),
      'delivered', count(*) filter (where message.origin = 'ghl' and message.state in ('delivered', 'read')),
      'read', count(*) filter (where message.origin = 'ghl' and message.state = 'read'),
      'failed', count(*) filter (where message.origin = 'ghl' and message.state = 'failed' and message.discarded_at is null),
      'discarded', count(*) filter (where message.origin = 'ghl' and message.state in ('failed', 'ignored') and message.discarded_at is not null),
      'held', count(*) filter (where message.origin = 'ghl' and message.state = 'held'),
      'waiting', count(*) filter (where message.origin = 'ghl' and message.state in ('queued', 'sending'))))
  from bridge.messages message
  where message.location_id = args->>'locationId'
    and not message.is_history
    and message.created_at >= coalesce(
      bridge.from_ms((args->>'fromMs')::bigint), (args->>'day')::date::timestamp at time zone 'UTC')
    and message.created_at < coalesce(
      bridge.from_ms((args->>'toMs')::bigint), ((args->>'day')::date + 1)::timestamp at time zone 'UTC')
$$;

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

-- Internal. A message as people see it. On its way through the bridge it is bridge.message_json: no names are needed there.
create or replace function bridge.message_view(message bridge.messages) returns jsonb
language sql stable as $$
  select bridge.message_json(message) || jsonb_build_object(
    'contact', bridge.message_contact_json(message), 'queue', bridge.message_queue_json(message),
    'writtenAt', bridge.to_ms(coalesce(message.written_at, message.sent_at)),
    'discardedAt', bridge.to_ms(message.discarded_at))
$$;

-- `waitsFor` is "person" (failed or held, and not discarded) or "delivery" (on its way, of what is live); only then is there a
-- total. The cursor is the last seq of the page before, in either order. `content` is sealed.
create or replace function bridge.list_messages(args jsonb)
returns jsonb language plpgsql stable as $$
declare
  filters text := '';
  cursor text := '';
  direction text := case when (args->>'oldestFirst')::boolean then 'asc' else 'desc' end;
  total bigint;
  page jsonb;
begin
  if args->>'state' is not null then
    filters := filters || format(' and message.state = %L', args->>'state');
  end if;
  if args->>'waitsFor' = 'person' then
    filters := filters || ' and message.state in (''failed'', ''held'') and message.discarded_at is null';
  end if;
  if args->>'waitsFor' = 'delivery' then
    filters := filters || ' and message.state in (''received'', ''queued'', ''sending'') and not message.is_history';
  end if;
  if args->>'locationId' is not null then
    filters := filters || format(' and message.location_id = %L', args->>'locationId');
  end if;
  if args->>'sessionId' is not null then
    filters := filters || format(' and message.session_id = %L', args->>'sessionId');
  end if;
  if args->>'waitsFor' is not null then
    execute format('select count(*) from bridge.messages message where true %s', filters) into total;
  end if;
  if args->>'beforeSeq' is not null then
    cursor := format(
      ' and message.seq %s %s', case direction when 'asc' then '>' else '<' end, (args->>'beforeSeq')::bigint);
  end if;
  execute format(
    'select jsonb_build_object(''messages'', coalesce(jsonb_agg(bridge.message_view(listed::bridge.messages)'
    ' || case when %1$L then jsonb_build_object(''content'', jsonb_build_object(''origin'', listed.origin, ''sealed'', listed.content)) else ''{}'' end order by listed.seq %2$s), ''[]''),'
    ' ''lastSeq'', case %2$L when ''asc'' then max(listed.seq) else min(listed.seq) end::text)'
    ' from (select message.* from bridge.messages message where true %3$s order by message.seq %2$s limit %4$s) listed',
    coalesce((args->>'withContent')::boolean, false), direction, filters || cursor, (args->>'limit')::int)
  into page;
  return page || jsonb_build_object('total', total);
end
$$;

select bridge.finish_migration(40, '0040_discarded', 1, array['discard_message', 'retry_message', 'ledger', 'stats', 'list_messages']);
notify pgrst, 'reload schema';
