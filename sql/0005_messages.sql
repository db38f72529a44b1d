-- 0005 Contacts and messages. Why: every message once, whatever form of address it came under, with the pair of ids that receipts and replies need. Oldest program: 1.

create table if not exists bridge.contacts (
  id text not null default gen_random_uuid()::text constraint contacts_pk primary key,
  location_id text not null,
  lid text,
  pn text,
  group_jid text,
  chat text,
  push_name text,
  ghl_contact_id text,
  former_ghl_contact_ids text[] not null default '{}',
  last_session_id text,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  constraint contacts_one_per_lid unique (location_id, lid),
  constraint contacts_one_per_pn unique (location_id, pn),
  constraint contacts_one_per_group unique (location_id, group_jid),
  constraint contacts_has_an_address check (num_nonnulls(lid, pn, group_jid) > 0)
);
create index if not exists contacts_by_ghl_contact on bridge.contacts (location_id, ghl_contact_id);
create index if not exists contacts_by_former_ghl_contact on bridge.contacts using gin (former_ghl_contact_ids);
comment on table bridge.contacts is
  'A person or group of one location. LID and PN are joined here; not unique by GHL contact, because GHL merges contacts.';
comment on column bridge.contacts.former_ghl_contact_ids is
  'GHL contacts that were linked before: an agent may still write to them, and the chat must be found.';
comment on column bridge.contacts.last_session_id is 'The number of ours that the person wrote to last.';

create table if not exists bridge.messages (
  id text not null constraint messages_pk primary key,
  seq bigint not null generated always as identity constraint messages_seq unique,
  location_id text not null,
  session_id text,
  contact_id text constraint messages_contact references bridge.contacts,
  direction text not null constraint messages_direction check (direction in ('inbound', 'outbound')),
  origin text not null constraint messages_origin check (origin in ('customer', 'phone', 'ghl')),
  kind text not null,
  state text not null constraint messages_state check (state in (
    'received', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'held', 'ignored')),
  chat text,
  author text,
  author_key text,
  from_me boolean not null,
  wa_message_id text,
  ghl_contact_id text,
  ghl_conversation_id text,
  ghl_message_id text,
  part_no int,
  written_at timestamptz,
  content text not null,
  composed text,
  attempts int not null default 0,
  error jsonb,
  is_released boolean not null default false,
  ghl_told_failed boolean not null default false,
  noted text constraint messages_noted check (noted in ('died', 'recovered')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
-- The contact stands here for the author in all forms of his address; author_key tells the members of a group apart.
create unique index if not exists messages_once_from_whatsapp
  on bridge.messages (session_id, contact_id, from_me, wa_message_id, author_key) where origin <> 'ghl';
create unique index if not exists messages_once_from_ghl
  on bridge.messages (location_id, ghl_message_id, part_no) where origin = 'ghl';
create index if not exists messages_by_wa_message on bridge.messages (session_id, wa_message_id);
create index if not exists messages_by_ghl_message on bridge.messages (location_id, ghl_message_id);
create index if not exists messages_by_contact on bridge.messages (contact_id);
create index if not exists messages_by_location on bridge.messages (location_id, seq);
create index if not exists messages_by_day on bridge.messages (location_id, created_at);
create index if not exists messages_by_session on bridge.messages (session_id, seq);
create index if not exists messages_unfinished on bridge.messages (state, seq)
  where state in ('received', 'queued', 'sending', 'failed', 'held', 'ignored');
comment on table bridge.messages is 'One row per WhatsApp message; an agent''s message is as many rows as WhatsApp needs.';
comment on column bridge.messages.origin is
  'customer: written to us; phone: typed on the business'' own device; ghl: written by an agent or a workflow.';
comment on column bridge.messages.state is
  'From WhatsApp: queued until GHL has it, then delivered (customer) or sent (phone). From GHL: as WhatsApp''s receipts say.';
comment on column bridge.messages.written_at is 'When the agent wrote it, by GHL''s clock; for messages from GHL.';
comment on column bridge.messages.is_released is 'A person has said to send it whatever its age: it is not held again.';
comment on column bridge.messages.ghl_told_failed is
  'GHL shows failed, which is final there: what becomes of the message later is told by a note.';
comment on column bridge.messages.noted is 'What the last note in the GHL conversation said of this message.';
comment on column bridge.messages.content is 'Sealed by the program: the envelope, or the part with the phone number.';
comment on column bridge.messages.composed is 'Sealed by the program: the WhatsApp message as it is sent, for repeats.';
comment on column bridge.messages.attempts is 'What the delivery took; while its job exists, the job counts.';

create or replace function bridge.contact_json(contact bridge.contacts) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'contactId', contact.id,
    'locationId', contact.location_id,
    'lid', contact.lid,
    'pn', contact.pn,
    'chat', contact.chat,
    'pushName', contact.push_name,
    'ghlContactId', contact.ghl_contact_id,
    'lastSessionId', contact.last_session_id)
$$;

-- Internal. The kind of the job that delivers a message.
create or replace function bridge.delivery_kind(message bridge.messages) returns text
language sql immutable as $$
  select case when message.origin = 'ghl' then 'outbound' else 'inbound' end
$$;

-- Internal. The lane that a message is delivered on, which keeps the order of its chat.
create or replace function bridge.delivery_lane(message bridge.messages) returns text
language sql immutable as $$
  select case when message.origin = 'ghl'
    then 'out:' || message.location_id || ':' || message.ghl_contact_id
    else 'in:' || message.session_id || ':' || message.contact_id end
$$;

create or replace function bridge.message_json(message bridge.messages) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', message.id,
    'locationId', message.location_id,
    'sessionId', message.session_id,
    'contactId', message.contact_id,
    'direction', message.direction,
    'kind', message.kind,
    'state', message.state,
    'chat', message.chat,
    'waMessageId', message.wa_message_id,
    'ghlMessageId', message.ghl_message_id,
    'attempts', coalesce(job.attempts, message.attempts),
    'nextAttemptAt', bridge.to_ms(job.next_attempt_at),
    'error', message.error,
    'createdAt', bridge.to_ms(message.created_at),
    'updatedAt', bridge.to_ms(message.updated_at))
  from (select) one
  left join lateral (
    select waiting.attempts,
      case when waiting.state = 'waiting' and lane.state <> 'leased' then lane.ready_at end as next_attempt_at
    from bridge.jobs waiting join bridge.lanes lane on lane.key = waiting.lane
    where waiting.subject = message.id
      and waiting.kind = bridge.delivery_kind(message) and waiting.kind in ('inbound', 'outbound')
  ) job on true
$$;

-- Internal. How often a message's delivery has been tried, kept on the message when the job goes.
create or replace function bridge.delivery_attempts(message bridge.messages) returns int
language sql stable as $$
  select coalesce(max(job.attempts), message.attempts) from bridge.jobs job
  where job.subject = message.id and job.kind = bridge.delivery_kind(message) and job.kind in ('inbound', 'outbound')
$$;

-- Internal. What the people in the GHL conversation should hear of a message and have not heard yet.
create or replace function bridge.note_due(message bridge.messages) returns text
language sql immutable as $$
  select case
    when message.state = 'failed' and message.noted is distinct from 'died' then 'died'
    when message.state in ('sent', 'delivered', 'read') and message.noted = 'died' then 'recovered' end
$$;

-- Internal. The rank of a state on its way forward; null for those that a receipt does not move.
create or replace function bridge.state_rank(state text) returns int
language sql immutable as $$
  select array_position(array['queued', 'sending', 'sent', 'delivered', 'read'], state)
$$;

-- Internal. Two rows turned out to be one person: everything of one moves to the other. Where both hold the same message
-- (it came under both addresses), one row stays and keeps the GHL id of either; the job of the other finds nothing and ends.
create or replace function bridge.join_contacts(kept_id text, gone_id text) returns void
language plpgsql as $$
declare
  session text;
  sessions text[];
begin
  select coalesce(array_agg(distinct message.session_id), '{}') into sessions from bridge.messages message
  where message.contact_id = gone_id and message.origin <> 'ghl';
  perform from bridge.lanes lane
  where lane.key = any (
    select 'in:' || each.session || ':' || person.id
    from unnest(sessions) as each (session) cross join unnest(array[kept_id, gone_id]) as person (id))
  order by lane.key for update;

  update bridge.messages kept
  set ghl_message_id = coalesce(kept.ghl_message_id, twin.ghl_message_id),
    ghl_conversation_id = coalesce(kept.ghl_conversation_id, twin.ghl_conversation_id)
  from bridge.messages twin
  where kept.contact_id = kept_id and twin.contact_id = gone_id and kept.origin <> 'ghl' and twin.origin <> 'ghl'
    and (twin.session_id, twin.from_me, twin.wa_message_id, twin.author_key)
      = (kept.session_id, kept.from_me, kept.wa_message_id, kept.author_key);
  delete from bridge.messages twin using bridge.messages kept
  where kept.contact_id = kept_id and twin.contact_id = gone_id and kept.origin <> 'ghl' and twin.origin <> 'ghl'
    and (twin.session_id, twin.from_me, twin.wa_message_id, twin.author_key)
      = (kept.session_id, kept.from_me, kept.wa_message_id, kept.author_key);
  update bridge.messages message set contact_id = kept_id where message.contact_id = gone_id;

  foreach session in array sessions loop
    if exists (select from bridge.lanes lane where lane.key = 'in:' || session || ':' || gone_id) then
      insert into bridge.lanes (key, location_id, state)
      select 'in:' || session || ':' || kept_id, lane.location_id, 'empty' from bridge.lanes lane
      where lane.key = 'in:' || session || ':' || gone_id
      on conflict do nothing;
      perform bridge.join_lanes('in:' || session || ':' || gone_id, 'in:' || session || ':' || kept_id);
    end if;
  end loop;
end
$$;

-- Internal. The contact behind an address, made when there is none; its row stays locked until the transaction ends, which
-- puts the messages of one person in one order.
--
-- A LID is the anchor: it stays with its person, while a number can change hands. So of two matching rows, one known by
-- the LID and one only by the number, they are one person and are joined (the one with a GHL contact stays, else the older);
-- but a number found on a row with another LID has moved, and is taken from there.
-- Rows are locked in the order of their ids. Someone else's insert of the same address shows up as a conflict: look again.
create or replace function bridge.settle_contact(location text, person_lid text, person_pn text, person_group text)
returns bridge.contacts language plpgsql as $$
declare
  found_rows bridge.contacts[];
  by_lid bridge.contacts;
  by_pn bridge.contacts;
  kept bridge.contacts;
  gone bridge.contacts;
begin
  loop
    select coalesce(array_agg(matching::bridge.contacts order by matching.id), '{}') into found_rows from (
      select contact.* from bridge.contacts contact
      where contact.location_id = location
        and (contact.lid = person_lid or contact.pn = person_pn or contact.group_jid = person_group)
      order by contact.id for update
    ) matching;

    if cardinality(found_rows) = 0 then
      insert into bridge.contacts (location_id, lid, pn, group_jid, chat)
      values (location, person_lid, person_pn, person_group, coalesce(person_lid, person_pn, person_group))
      on conflict do nothing
      returning * into kept;
      if found then
        return kept;
      end if;
      continue;
    end if;

    by_lid := null;
    by_pn := null;
    gone := null;
    select each.* into by_lid from unnest(found_rows) each where each.lid = person_lid or each.group_jid = person_group;
    select each.* into by_pn from unnest(found_rows) each where each.pn = person_pn;

    if by_lid.id is not null and (person_pn is null or by_lid.pn = person_pn) then
      return by_lid;
    elsif by_lid.id is null and (person_lid is null or by_pn.lid = person_lid) then
      return by_pn;
    end if;

    begin
      if by_pn.id is not null and by_pn.lid <> person_lid then
        update bridge.contacts contact set pn = null, updated_at = clock_timestamp() where contact.id = by_pn.id;
        if by_lid.id is null then
          continue; -- the number has a new owner: nobody matches now
        end if;
        kept := by_lid;
      elsif by_lid.id is not null and by_pn.id is not null then
        kept := by_lid;
        gone := by_pn;
        if (by_pn.ghl_contact_id is not null, by_lid.created_at) > (by_lid.ghl_contact_id is not null, by_pn.created_at) then
          kept := by_pn;
          gone := by_lid;
        end if;
        perform bridge.join_contacts(kept.id, gone.id);
        delete from bridge.contacts contact where contact.id = gone.id;
      else
        kept := case when by_lid.id is not null then by_lid else by_pn end;
      end if;
      update bridge.contacts contact
      set lid = coalesce(person_lid, contact.lid), pn = coalesce(person_pn, contact.pn),
        chat = coalesce(contact.chat, gone.chat), push_name = coalesce(contact.push_name, gone.push_name),
        ghl_contact_id = coalesce(contact.ghl_contact_id, gone.ghl_contact_id),
        former_ghl_contact_ids = array(
          select distinct former from unnest(
            contact.former_ghl_contact_ids || gone.former_ghl_contact_ids || array[gone.ghl_contact_id]) former
          where former <> coalesce(contact.ghl_contact_id, gone.ghl_contact_id, '')),
        last_session_id = coalesce(contact.last_session_id, gone.last_session_id), updated_at = clock_timestamp()
      where contact.id = kept.id
      returning * into kept;
      return kept;
    exception when unique_violation then
      -- Another transaction made a row with the missing form since we looked.
    end;
  end loop;
end
$$;

-- Internal. The person whom an agent means by a GHL contact; a present link wins over a former one.
create or replace function bridge.contact_of_ghl(location text, ghl_contact text) returns bridge.contacts
language sql stable as $$
  select contact.* from bridge.contacts contact
  where contact.location_id = location
    and (contact.ghl_contact_id = ghl_contact or contact.former_ghl_contact_ids @> array[ghl_contact])
  order by (contact.ghl_contact_id = ghl_contact) desc nulls last, contact.updated_at desc
  limit 1
$$;

-- A repeat changes nothing but the journal: the stanza may have been journaled again since.
create or replace function bridge.accept_inbound(args jsonb) returns jsonb
language plpgsql as $$
declare
  contact bridge.contacts;
  accepted bridge.messages;
  is_from_me boolean := (args->>'fromMe')::boolean;
begin
  update bridge.journal line set settled_at = now()
  where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId' and line.settled_at is null
    and regexp_replace(line.sender, '(_\d+)?(:\d+)?@', '@') = args->>'author';

  if is_from_me and exists (
    select from bridge.messages ours
    where ours.session_id = args->>'sessionId' and ours.wa_message_id = args->>'waMessageId' and ours.origin = 'ghl'
  ) then
    return '"duplicate"'; -- our own send coming back
  end if;

  contact := bridge.settle_contact(args->>'locationId', args->>'lid', args->>'pn', args->>'group');
  insert into bridge.messages
    (id, location_id, session_id, contact_id, direction, origin, kind, state, chat, author, author_key, from_me,
     wa_message_id, content)
  values
    (args->>'id', args->>'locationId', args->>'sessionId', contact.id,
     case when is_from_me then 'outbound' else 'inbound' end, case when is_from_me then 'phone' else 'customer' end,
     args->>'kind', 'queued', args->>'chat', args->>'author',
     case when args->>'group' is null then '' else args->>'author' end, is_from_me, args->>'waMessageId',
     args->>'content')
  on conflict (session_id, contact_id, from_me, wa_message_id, author_key) where origin <> 'ghl' do nothing
  returning * into accepted;
  if not found then
    return '"duplicate"';
  end if;

  update bridge.contacts known
  set chat = args->>'chat',
    push_name = case when is_from_me then known.push_name else coalesce(args->>'pushName', known.push_name) end,
    last_session_id = case when is_from_me then known.last_session_id else args->>'sessionId' end,
    updated_at = clock_timestamp()
  where known.id = contact.id
    and (known.chat is distinct from args->>'chat'
      or not is_from_me and (known.last_session_id is distinct from args->>'sessionId'
        or known.push_name is distinct from coalesce(args->>'pushName', known.push_name)));
  perform bridge.enqueue(bridge.delivery_lane(accepted), accepted.location_id, 'inbound', accepted.id);
  return '"enqueued"';
end
$$;

-- The first part decides whether the message is new. What we filed in GHL ourselves comes back as an event: not to be sent.
-- With "held" (why, as an error) it is recorded and waits for a person: no job.
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

create or replace function bridge.find_inbound_work(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'content', message.content, 'contact', bridge.contact_json(contact))
  from bridge.messages message join bridge.contacts contact on contact.id = message.contact_id
  where message.id = args->>'id' and message.origin <> 'ghl'
$$;

create or replace function bridge.find_outbound_work(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'content', message.content, 'composed', message.composed,
    'ghlContactId', message.ghl_contact_id, 'writtenAt', bridge.to_ms(coalesce(message.written_at, message.created_at)),
    'isReleased', message.is_released,
    'contact', case when contact.id is not null then bridge.contact_json(contact) end)
  from bridge.messages message
  left join lateral bridge.contact_of_ghl(message.location_id, message.ghl_contact_id) contact on true
  where message.id = args->>'id' and message.origin = 'ghl'
$$;

create or replace function bridge.record_filed(args jsonb) returns jsonb
language plpgsql as $$
declare
  filed bridge.messages;
begin
  update bridge.messages message
  set ghl_message_id = args->>'ghlMessageId', ghl_conversation_id = args->>'ghlConversationId', error = null,
    state = case when message.state in ('queued', 'failed')
      then case when message.origin = 'customer' then 'delivered' else 'sent' end else message.state end,
    attempts = bridge.delivery_attempts(message), updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin <> 'ghl'
  returning * into filed;
  if bridge.note_due(filed) is not null then
    perform bridge.enqueue_note(filed.location_id, filed.id);
  end if;
  return to_jsonb(filed.id is not null);
end
$$;

create or replace function bridge.reserve(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.messages message
  set session_id = args->>'sessionId', chat = args->>'chat', composed = args->>'composed', state = 'sending',
    contact_id = coalesce(message.contact_id,
      (bridge.contact_of_ghl(message.location_id, message.ghl_contact_id)).id),
    updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin = 'ghl' and message.state in ('queued', 'sending');
  return to_jsonb(found);
end
$$;

-- The messages are locked in the order of their ids before any is changed, and the status lanes after them in the order
-- of their keys: two receipts for the same messages cannot deadlock.
create or replace function bridge.advance(args jsonb) returns jsonb
language plpgsql as $$
declare
  message_ids text[];
  moved int;
  status_of record;
begin
  select coalesce(array_agg(moving.id), '{}') into message_ids from (
    select message.id from bridge.messages message
    where message.session_id = args->>'sessionId' and message.direction = 'outbound'
      and message.wa_message_id in (select jsonb_array_elements_text(args->'waMessageIds'))
      and bridge.state_rank(message.state) < bridge.state_rank(args->>'to')
    order by message.id for update
  ) moving;
  update bridge.messages message
  set state = args->>'to', attempts = bridge.delivery_attempts(message), updated_at = clock_timestamp()
  where message.id = any (message_ids) and bridge.state_rank(message.state) < bridge.state_rank(args->>'to');
  get diagnostics moved = row_count;
  for status_of in
    select distinct message.location_id, message.ghl_message_id from bridge.messages message
    where message.id = any (message_ids) and message.origin = 'ghl' and message.ghl_message_id is not null
    order by message.location_id, message.ghl_message_id
  loop
    perform bridge.enqueue_ghl_status(status_of.location_id, status_of.ghl_message_id);
  end loop;
  perform bridge.enqueue_note(message.location_id, message.id) from bridge.messages message
  where message.id = any (message_ids) and bridge.note_due(message) is not null;
  return to_jsonb(moved);
end
$$;

-- The end of a delivery, all or nothing: the job becomes a dead letter, the message failed, GHL is owed the status and the
-- conversation a note. A message that a receipt has proved delivered is not failed by a late time-out of ours; its job is
-- simply over. False when the claim is lost: then somebody else decides.
create or replace function bridge.give_up(args jsonb) returns jsonb
language plpgsql as $$
declare
  failed bridge.messages;
begin
  if bridge.bury(args) = 'false' then
    return 'false';
  end if;
  update bridge.messages message
  set state = 'failed', attempts = bridge.delivery_attempts(message), updated_at = clock_timestamp(),
    error = jsonb_strip_nulls(
      jsonb_build_object('code', args->>'code', 'message', args->>'message', 'action', args->>'action'))
  from bridge.jobs job
  where job.id = (args->>'jobId')::bigint and message.id = job.subject and message.state not in ('delivered', 'read')
  returning message.* into failed;
  if failed.id is null then
    delete from bridge.jobs job where job.id = (args->>'jobId')::bigint;
    return 'true';
  end if;
  update bridge.jobs job set may_have_happened = job.may_have_happened or (args->>'mayHaveHappened')::boolean
  where job.id = (args->>'jobId')::bigint;
  if failed.origin = 'ghl' then
    perform bridge.enqueue_ghl_status(failed.location_id, failed.ghl_message_id);
  end if;
  if bridge.note_due(failed) is not null then
    perform bridge.enqueue_note(failed.location_id, failed.id);
  end if;
  return 'true';
end
$$;

-- The worker finds that a message should not be sent without a person's word.
create or replace function bridge.hold(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.messages message
  set state = 'held', error = args->'held', updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin = 'ghl' and message.state in ('queued', 'sending')
    and not message.is_released;
  return to_jsonb(found);
end
$$;

-- Internal. Locks a message that waits for a person, dead or held, and whose job is settled; no row otherwise. Nobody
-- makes a job for it while it is locked.
create or replace function bridge.lock_waiting(message_id text) returns setof bridge.messages
language plpgsql as $$
declare
  waiting bridge.messages;
begin
  select * into waiting from bridge.messages message where message.id = message_id for update;
  -- A statement of its own: the one that locks may have a snapshot from before the job's end.
  return query select waiting.* where waiting.state in ('failed', 'held') and not exists (
    select from bridge.jobs job
    where job.subject = message_id and job.kind in ('inbound', 'outbound') and job.state = 'waiting');
end
$$;

-- Internal. What the person who retries or discards is answered.
create or replace function bridge.by_hand_json(message_id text, was_waiting boolean) returns jsonb
language sql stable as $$
  select jsonb_build_object('wasWaiting', was_waiting, 'row', bridge.message_json(message))
  from bridge.messages message where message.id = message_id
$$;

-- Once more, by a person's word: at the end of its lane, because the chat has gone on, under the WhatsApp id it has had all
-- along. What the dead attempts may have done stays known, so that nothing is doubled; null for an unknown message.
create or replace function bridge.retry_message(args jsonb) returns jsonb
language plpgsql as $$
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
  set state = 'queued', error = null, attempts = 0, is_released = true, updated_at = clock_timestamp()
  where message.id = again.id;
  perform bridge.enqueue(
    bridge.delivery_lane(again), again.location_id, bridge.delivery_kind(again), again.id);
  -- A held one was never tried. A failed one whose dead letter was thrown away is an unknown.
  update bridge.jobs job set may_have_happened = again.state = 'failed' and coalesce(may_have, true)
  where job.subject = again.id and job.kind = bridge.delivery_kind(again) and job.kind in ('inbound', 'outbound');
  return bridge.by_hand_json(again.id, true);
end
$$;

-- A held message is dropped, and GHL hears that it was not sent; a dead one is failed already, its dead letter goes.
create or replace function bridge.discard_message(args jsonb) returns jsonb
language plpgsql as $$
declare
  dropped bridge.messages;
begin
  select * into dropped from bridge.lock_waiting(args->>'id');
  if not found then
    return bridge.by_hand_json(args->>'id', false);
  end if;
  delete from bridge.jobs job
  where job.subject = dropped.id and job.kind = bridge.delivery_kind(dropped) and job.kind in ('inbound', 'outbound');
  if dropped.state = 'held' then
    update bridge.messages message
    set state = 'ignored', error = args->'discarded', updated_at = clock_timestamp()
    where message.id = dropped.id;
    perform bridge.enqueue_ghl_status(dropped.location_id, dropped.ghl_message_id);
  end if;
  return bridge.by_hand_json(dropped.id, true);
end
$$;

-- Null when nothing is to be said (any more), or nobody is there to say it to: an inbound message's contact may not have
-- got as far as GHL.
create or replace function bridge.find_note_work(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'origin', message.origin, 'content', message.content,
    'says', bridge.note_due(message), 'ghlContactId', coalesce(person.ghl_contact_id, message.ghl_contact_id))
  from bridge.messages message
  left join lateral (
    select contact.ghl_contact_id from bridge.contacts contact where contact.id = message.contact_id
  ) person on true
  where message.id = args->>'id' and bridge.note_due(message) is not null
    and coalesce(person.ghl_contact_id, message.ghl_contact_id) is not null
$$;

-- The message may have moved on while the note was written.
create or replace function bridge.record_note(args jsonb) returns jsonb
language plpgsql as $$
declare
  told bridge.messages;
begin
  update bridge.messages message set noted = args->>'said' where message.id = args->>'id' returning * into told;
  if bridge.note_due(told) is not null then
    perform bridge.enqueue_note(told.location_id, told.id);
  end if;
  return to_jsonb(told.id is not null);
end
$$;

create or replace function bridge.record_told_failed(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.messages message set ghl_told_failed = true
  where message.location_id = args->>'locationId' and message.ghl_message_id = args->>'ghlMessageId'
    and message.origin = 'ghl';
  return to_jsonb(found);
end
$$;

-- The certificate of one day (UTC): what came, and what became of it by now. Inbound is all that WhatsApp brought, what was
-- typed on the phone included: received = inGhl + waiting + failed. Outbound is what GHL gave us to send:
-- accepted = sent + failed + held + waiting, where sent counts those that went further too, and failed the discarded.
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
    and message.created_at >= (args->>'day')::date::timestamp at time zone 'UTC'
    and message.created_at < ((args->>'day')::date + 1)::timestamp at time zone 'UTC'
$$;

-- Null also when GHL has been told failed: that is final there.
create or replace function bridge.find_ghl_status(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'status', case
      when bool_or(message.state in ('failed', 'ignored')) then 'failed'
      when bool_and(message.state = 'read') then 'read'
      when bool_and(message.state in ('delivered', 'read')) then 'delivered'
      else 'pending' end,
    'error', (array_agg(message.error order by message.part_no)
      filter (where message.state in ('failed', 'ignored')))[1])
  from bridge.messages message
  where message.location_id = args->>'locationId' and message.ghl_message_id = args->>'ghlMessageId'
    and message.origin = 'ghl'
  having count(*) > 0 and not bool_or(message.ghl_told_failed)
$$;

create or replace function bridge.find_composed(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object('id', message.id, 'composed', message.composed)
  from bridge.messages message
  where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
    and message.composed is not null
  limit 1
$$;

create or replace function bridge.is_ours(args jsonb) returns jsonb
language sql stable as $$
  select to_jsonb(exists (
    select from bridge.messages message
    where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
      and message.origin = 'ghl'))
$$;

-- Built as text, so that each combination of filters is planned for its own index.
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
    'select jsonb_build_object(''messages'', coalesce(jsonb_agg(bridge.message_json(listed::bridge.messages) '
    'order by listed.seq desc), ''[]''), ''lastSeq'', min(listed.seq)::text) from (select message.* from bridge.messages '
    'message where true %s order by message.seq desc limit %s) listed', filters, (args->>'limit')::int)
  into page;
  return page;
end
$$;

create or replace function bridge.link_ghl(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.contacts contact
  set ghl_contact_id = args->>'ghlContactId',
    former_ghl_contact_ids = array_remove(
      array_remove(contact.former_ghl_contact_ids || contact.ghl_contact_id, null), args->>'ghlContactId'),
    updated_at = clock_timestamp()
  where contact.id = args->>'contactId' and contact.ghl_contact_id is distinct from args->>'ghlContactId';
  return to_jsonb(found);
end
$$;

create or replace function bridge.unlink_ghl(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.contacts contact
  set ghl_contact_id = null, former_ghl_contact_ids = contact.former_ghl_contact_ids || contact.ghl_contact_id,
    updated_at = clock_timestamp()
  where contact.location_id = args->>'locationId' and contact.ghl_contact_id = args->>'ghlContactId';
  return to_jsonb(found);
end
$$;

create or replace function bridge.settle_person(args jsonb) returns jsonb
language plpgsql as $$
declare
  contact bridge.contacts := bridge.settle_contact(args->>'locationId', args->>'lid', args->>'pn', args->>'group');
begin
  update bridge.contacts known set chat = args->>'chat', updated_at = clock_timestamp() where known.id = contact.id;
  perform bridge.link_ghl(jsonb_build_object('contactId', contact.id, 'ghlContactId', args->>'ghlContactId'));
  select * into contact from bridge.contacts known where known.id = contact.id;
  return bridge.contact_json(contact);
end
$$;

-- Removes what has served its time, in small batches: the API's time limit is a few seconds. Returns how much went.
create or replace function bridge.prune(args jsonb) returns jsonb
language plpgsql as $$
declare
  batch int := (args->>'batch')::int;
  gone int;
  total int := 0;
begin
  delete from bridge.journal line where line.ctid = any (array(
    select old.ctid from bridge.journal old
    where old.settled_at < bridge.after_ms(-(args->>'journalMs')::bigint) limit batch));
  get diagnostics gone = row_count;
  total := total + gone;
  delete from bridge.lanes lane where lane.key = any (array(
    select old.key from bridge.lanes old
    where old.state = 'empty' and old.touched_at < bridge.after_ms(-(args->>'laneMs')::bigint)
      and not exists (select from bridge.jobs job where job.lane = old.key)
    limit batch for update skip locked));
  get diagnostics gone = row_count;
  total := total + gone;
  delete from bridge.pairing_links link where link.expires_at < now();
  delete from bridge.oauth_states state where state.expires_at < now();
  return to_jsonb(total);
end
$$;

select bridge.finish_migration(5, '0005_messages', 1, array[
  'accept_inbound', 'accept_outbound', 'find_inbound_work', 'find_outbound_work', 'record_filed', 'reserve', 'advance',
  'give_up', 'hold', 'retry_message', 'discard_message', 'find_note_work', 'record_note', 'record_told_failed', 'ledger',
  'find_ghl_status', 'find_composed', 'is_ours', 'list_messages', 'link_ghl', 'unlink_ghl',
  'settle_person', 'prune']);
notify pgrst, 'reload schema';
