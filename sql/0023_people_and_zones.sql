-- 0023 Whose message it is, what it waits for, and the location's time zone. Why: the owner reads names, not addresses; a chat behind another message says so; a day is the location's own. Oldest program: 1.

alter table bridge.ghl_accounts add column if not exists time_zone text;
comment on column bridge.ghl_accounts.time_zone is 'IANA name, as GHL says where the location is; checked by the program. Null: not known.';

-- Internal. The person or group behind a message. An agent may write to somebody whom no number of ours has met: then the
-- number that GHL gave stands in the sealed content, which the program opens.
create or replace function bridge.message_contact_json(message bridge.messages) returns jsonb
language sql stable as $$
  select coalesce(
    (select jsonb_build_object(
        'name', coalesce(given.name, contact.push_name), 'pn', contact.pn, 'isGroup', contact.group_jid is not null)
      from bridge.contacts contact left join bridge.group_names given on given.contact_id = contact.id
      where contact.id = message.contact_id),
    case when message.origin = 'ghl' then jsonb_build_object('sealed', message.content) end)
$$;

-- Internal. What a message that is not delivered yet waits for: how many of its chat go before it, and what the first of
-- them met. Null for one that waits for nothing.
create or replace function bridge.message_queue_json(message bridge.messages) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'ahead', (select count(*) from bridge.jobs before
      where before.lane = waiting.lane and before.state = 'waiting' and before.id < waiting.id
        and before.kind in ('inbound', 'outbound')),
    'code', head.error_code,
    'message', head.error_message)
  from bridge.jobs waiting
  cross join lateral (
    select first.error_code, first.error_message from bridge.jobs first
    where first.lane = waiting.lane and first.state = 'waiting' order by first.id limit 1
  ) head
  where waiting.subject = message.id and waiting.state = 'waiting'
    and waiting.kind = bridge.delivery_kind(message) and waiting.kind in ('inbound', 'outbound')
$$;

-- Internal. A message as people see it. On its way through the bridge it is bridge.message_json: no names are needed there.
create or replace function bridge.message_view(message bridge.messages) returns jsonb
language sql stable as $$
  select bridge.message_json(message) || jsonb_build_object(
    'contact', bridge.message_contact_json(message), 'queue', bridge.message_queue_json(message))
$$;

create or replace function bridge.by_hand_json(message_id text, was_waiting boolean) returns jsonb
language sql stable as $$
  select jsonb_build_object('wasWaiting', was_waiting, 'row', bridge.message_view(message))
  from bridge.messages message where message.id = message_id
$$;

create or replace function bridge.find_message(args jsonb) returns jsonb
language sql stable as $$
  select bridge.message_view(message) from bridge.messages message where message.id = args->>'id'
$$;

create or replace function bridge.list_messages(args jsonb) returns jsonb
language plpgsql stable as $$
declare
  filters text := '';
  page jsonb;
begin
  if args->>'state' is not null then
    filters := filters || format(' and message.state = %L', args->>'state');
  end if;
  if args->>'locationId' is not null then
    filters := filters || format(' and message.location_id = %L', args->>'locationId');
  end if;
  if args->>'sessionId' is not null then
    filters := filters || format(' and message.session_id = %L', args->>'sessionId');
  end if;
  if args->>'beforeSeq' is not null then
    filters := filters || format(' and message.seq < %s', (args->>'beforeSeq')::bigint);
  end if;
  execute format(
    'select jsonb_build_object(''messages'', coalesce(jsonb_agg(bridge.message_view(listed::bridge.messages) '
    'order by listed.seq desc), ''[]''), ''lastSeq'', min(listed.seq)::text) from (select message.* from bridge.messages '
    'message where true %s order by message.seq desc limit %s) listed', filters, (args->>'limit')::int)
  into page;
  return page;
end
$$;

-- A stretch of time; or a "day" of UTC, which programs before this file ask for. What was imported from the past is not of
-- the day on which it was imported.
create or replace function bridge.ledger(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'inbound', jsonb_build_object(
      'received', count(*) filter (where message.origin <> 'ghl'),
      'inGhl', count(*) filter (where message.origin <> 'ghl' and message.state in ('sent', 'delivered', 'read')),
      'waiting', count(*) filter (where message.origin <> 'ghl' and message.state in ('received', 'queued')),
      'failed', count(*) filter (where message.origin <> 'ghl' and message.state in ('failed', 'ignored'))),
    'outbound', jsonb_build_object(
      'accepted', count(*) filter (where message.origin = 'ghl'),
      'sent', count(*) filter (where message.origin = 'ghl' and message.state in ('sent', 'delivered', 'read')),
      'delivered', count(*) filter (where message.origin = 'ghl' and message.state in ('delivered', 'read')),
      'read', count(*) filter (where message.origin = 'ghl' and message.state = 'read'),
      'failed', count(*) filter (where message.origin = 'ghl' and message.state in ('failed', 'ignored')),
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

create or replace function bridge.installation_json(account bridge.ghl_accounts) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'installationId', account.id,
    'locationId', account.location_id,
    'companyId', account.company_id,
    'userType', account.user_type,
    'status', account.status,
    'scopes', account.scopes,
    'locationName', account.location_name,
    'timeZone', account.time_zone,
    'companyName', account.company_name,
    'providerType', account.provider_type,
    'userId', account.user_id,
    'versionId', account.version_id,
    'isBulk', account.is_bulk,
    'whiteLabelDomain', account.white_label_domain,
    'problem', account.problem,
    'tokenExpiresAt', bridge.to_ms(account.token_expires_at),
    'refreshedAt', bridge.to_ms(account.refreshed_at),
    'checkedAt', bridge.to_ms(account.checked_at),
    'installedAt', bridge.to_ms(account.installed_at),
    'uninstalledAt', bridge.to_ms(account.uninstalled_at))
$$;

-- What GHL says of a location; absent members change nothing.
create or replace function bridge.describe_installation(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.ghl_accounts account
  set location_name = coalesce(args->>'locationName', account.location_name),
    time_zone = coalesce(args->>'timeZone', account.time_zone),
    company_id = coalesce(args->>'companyId', account.company_id),
    white_label_domain = coalesce(args->>'whiteLabelDomain', account.white_label_domain), updated_at = now()
  where account.location_id = args->>'locationId'
    and (args->>'locationName' is distinct from account.location_name
      or args->>'timeZone' is distinct from account.time_zone
      or args->>'companyId' is distinct from account.company_id
      or args->>'whiteLabelDomain' is distinct from account.white_label_domain);
  return to_jsonb(found);
end
$$;

select bridge.finish_migration(23, '0023_people_and_zones', 1, array[
  'find_message', 'list_messages', 'ledger', 'describe_installation']);
notify pgrst, 'reload schema';
