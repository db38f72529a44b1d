-- 0046 What became of each delivery of an agent's message. Why: one that is ignored is seen, and one that GHL sends again under its webhookId goes out once. Oldest program: 1.

comment on table bridge.webhook_events is 'Signed app events and provider deliveries of GHL, once each.';
comment on column bridge.webhook_events.webhook_id is
  'GHL''s id of an app event; of a delivery, behind "delivery:", for nothing says that the two never share one.';

-- An ignored delivery that comes again counts as new: what it was ignored for may be over.
create or replace function bridge.accept_outbound(args jsonb) returns jsonb
language plpgsql as $$
declare
  location text := args->>'locationId';
  contact bridge.contacts;
  accepted bridge.messages;
  part record;
begin
  if exists (
    select from bridge.messages known
    where known.location_id = location and known.ghl_message_id = args->>'ghlMessageId' and known.origin <> 'ghl'
  ) then
    return '"duplicate"';
  end if;
  if args ? 'webhookId' then
    insert into bridge.webhook_events (webhook_id, type, location_id, payload, state, settled_at)
    values (args->>'webhookId', 'ProviderDelivery', location, args->>'webhookPayload', 'processed', now())
    on conflict (webhook_id) do update set state = 'processed', reason = null, settled_at = now()
      where webhook_events.state = 'ignored';
    if not found then
      return '"duplicate"';
    end if;
  end if;
  contact := bridge.contact_of_ghl(location, args->>'ghlContactId');
  for part in
    select given.* from jsonb_to_recordset(args->'parts')
      as given (id text, "partNo" int, kind text, "waMessageId" text, content text)
    order by given."partNo"
  loop
    insert into bridge.messages
      (id, location_id, contact_id, direction, origin, kind, state, chat, from_me, wa_message_id, ghl_contact_id,
       ghl_conversation_id, ghl_message_id, part_no, written_at, content, error)
    values
      (part.id, location, contact.id, 'outbound', 'ghl', part.kind, case when args ? 'held' then 'held' else 'queued' end,
       contact.chat, true, part."waMessageId", args->>'ghlContactId', args->>'ghlConversationId', args->>'ghlMessageId',
       part."partNo", bridge.from_ms((args->>'writtenAt')::bigint), part.content, args->'held')
    on conflict (location_id, ghl_message_id, part_no) where origin = 'ghl' do nothing
    returning * into accepted;
    if not found then
      return '"duplicate"';
    elsif accepted.state = 'queued' then
      perform bridge.enqueue(bridge.delivery_lane(accepted), location, 'outbound', accepted.id);
    end if;
  end loop;
  return case when args ? 'held' then '"held"' else '"enqueued"' end;
end
$$;

-- Accepted deliveries only when asked for by type: they are messages, and stand there.
create or replace function bridge.list_webhook_events(args jsonb) returns jsonb
language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('webhookId', event.webhook_id, 'type', event.type,
    'locationId', event.location_id, 'companyId', event.company_id, 'state', event.state, 'reason', event.reason,
    'attempts', event.attempts, 'receivedAt', bridge.to_ms(event.received_at),
    'settledAt', bridge.to_ms(event.settled_at)) order by event.received_at desc, event.webhook_id desc), '[]')
  from (
    select * from bridge.webhook_events wanted
    where (args->>'state' is null or wanted.state = args->>'state')
      and (args->>'type' is null or wanted.type = args->>'type')
      and (args->>'type' is not null or wanted.type <> 'ProviderDelivery' or wanted.state <> 'processed')
      and (args->>'locationId' is null or wanted.location_id = args->>'locationId')
      and (args->>'before' is null or (wanted.received_at, wanted.webhook_id) < (
        select seen.received_at, seen.webhook_id from bridge.webhook_events seen where seen.webhook_id = args->>'before'))
    order by wanted.received_at desc, wanted.webhook_id desc limit (args->>'limit')::int
  ) event
$$;

select bridge.finish_migration(46, '0046_deliveries', 1, array['accept_outbound', 'list_webhook_events']);
notify pgrst, 'reload schema';
