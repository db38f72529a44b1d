-- 0012 Import of history after pairing. Why: the chats of the last days belong into GHL too, dated, once, and never in the way of what happens now. Oldest program: 1.
--
-- A message of history is a row of bridge.messages like any other, without a job. Jobs are handed out a few at a time
-- (release_history), oldest message first, each person on a lane of his own beside the live one: so whatever is said now
-- never stands behind the past, and the pace is that of the hand-out. What waits survives everything, since it is rows.

alter table bridge.messages add column if not exists is_history boolean not null default false;
alter table bridge.messages add column if not exists sent_at timestamptz;
alter table bridge.messages add column if not exists released_at timestamptz;
create index if not exists messages_history on bridge.messages (session_id, state, released_at) where is_history;
create index if not exists messages_by_location_and_wa_message on bridge.messages (location_id, wa_message_id);
comment on column bridge.messages.is_history is 'From before the pairing: imported, behind what is live.';
comment on column bridge.messages.sent_at is 'When it was sent, by WhatsApp''s clock; for history.';
comment on column bridge.messages.released_at is 'When its job was made; null while it waits to be handed out. For history.';

create table if not exists bridge.history_imports (
  session_id text not null constraint history_imports_pk primary key,
  location_id text not null,
  state text not null constraint history_imports_state check (state in ('collecting', 'importing', 'done')),
  days int not null,
  paired_at timestamptz not null,
  last_chunk_at timestamptz not null default clock_timestamp(),
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
create index if not exists history_imports_open on bridge.history_imports (location_id) where state <> 'done';
comment on table bridge.history_imports is
  'The import of a number''s past: one per number, begun anew by each pairing. Stays when the number goes: what waits is still to be imported.';
comment on column bridge.history_imports.days is 'How far back, counted from paired_at.';
comment on column bridge.history_imports.last_chunk_at is
  'The phone sends its past in pieces, newest first; what it has sent is handed out when it has been quiet for a while.';

create or replace function bridge.history_json(import bridge.history_imports) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'state', import.state,
    'days', import.days,
    'pairedAt', bridge.to_ms(import.paired_at),
    'startedAt', bridge.to_ms(import.started_at),
    'finishedAt', bridge.to_ms(import.finished_at),
    'found', count(message.id),
    'imported', count(*) filter (where message.state in ('sent', 'delivered', 'read')),
    'failed', count(*) filter (where message.state in ('failed', 'ignored')))
  from (select) one
  left join bridge.messages message
    on message.session_id = import.session_id and message.is_history and message.created_at >= import.started_at
$$;

-- A repeat for the same pairing changes nothing.
create or replace function bridge.begin_history(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.history_imports as import (session_id, location_id, state, days, paired_at)
  values (args->>'sessionId', args->>'locationId', 'collecting', (args->>'days')::int,
    bridge.from_ms((args->>'pairedAt')::bigint))
  on conflict (session_id) do update set location_id = excluded.location_id, state = excluded.state,
    days = excluded.days, paired_at = excluded.paired_at, last_chunk_at = excluded.last_chunk_at,
    started_at = excluded.started_at, finished_at = null
    where import.paired_at <> excluded.paired_at;
  return to_jsonb(found);
end
$$;

create or replace function bridge.find_history(args jsonb) returns jsonb
language sql stable as $$
  select bridge.history_json(import) from bridge.history_imports import where import.session_id = args->>'sessionId'
$$;

-- Records a batch. What this location knows already, live, from another number, from an earlier pairing or as sent by us, is
-- passed over: the contact is the same, whichever number heard of him. Answers how many were new.
create or replace function bridge.accept_history(args jsonb) returns jsonb
language plpgsql as $$
declare
  location text := args->>'locationId';
  session text := args->>'sessionId';
  given record;
  contact bridge.contacts;
  added int := 0;
begin
  for given in
    select each.* from jsonb_to_recordset(args->'messages') as each (
      id text, lid text, pn text, "group" text, author text, "fromMe" boolean, "pushName" text, "waMessageId" text,
      kind text, chat text, "sentAt" bigint, content text)
    -- Everybody locks people in this order.
    order by coalesce(each.lid, each.pn, each."group"), each."sentAt"
  loop
    contact := bridge.settle_contact(location, given.lid, given.pn, given."group");
    continue when exists (
      select from bridge.messages known
      where known.location_id = location and known.wa_message_id = given."waMessageId"
        and known.from_me = given."fromMe" and (known.contact_id = contact.id or known.origin = 'ghl'));
    insert into bridge.messages
      (id, location_id, session_id, contact_id, direction, origin, kind, state, chat, author, author_key, from_me,
       wa_message_id, content, is_history, sent_at)
    values
      (given.id, location, session, contact.id, case when given."fromMe" then 'outbound' else 'inbound' end,
       case when given."fromMe" then 'phone' else 'customer' end, given.kind, 'queued', given.chat, given.author,
       case when given."group" is null then '' else given.author end, given."fromMe", given."waMessageId",
       given.content, true, bridge.from_ms(given."sentAt"))
    on conflict (session_id, contact_id, from_me, wa_message_id, author_key) where origin <> 'ghl' do nothing;
    continue when not found;
    added := added + 1;
    update bridge.contacts known
    set push_name = coalesce(known.push_name, given."pushName"),
      last_session_id = coalesce(known.last_session_id, session), updated_at = clock_timestamp()
    where known.id = contact.id and (known.last_session_id is null or known.push_name is null);
  end loop;
  update bridge.history_imports import
  set last_chunk_at = clock_timestamp(),
    state = case when added > 0 then 'collecting' else import.state end,
    finished_at = case when added > 0 then null else import.finished_at end
  where import.session_id = session;
  return to_jsonb(added);
end
$$;

-- Hands out what is next, oldest first: at most "perTurn" messages of a number, and no more than "inFlight" of it at once, and
-- none while something live waits for the location. Answers how many were handed out, and how many imports are not done.
create or replace function bridge.release_history(args jsonb) returns jsonb
language plpgsql as $$
declare
  import bridge.history_imports;
  next_one bridge.messages;
  quiet_since timestamptz := bridge.after_ms(-(args->>'quietMs')::bigint);
  in_flight int;
  room int;
  released int := 0;
  open_count int;
begin
  for import in
    select each.* from bridge.history_imports each
    where each.state <> 'done' and each.location_id in (select jsonb_array_elements_text(args->'locations'))
    order by each.session_id for update skip locked
  loop
    continue when import.state = 'collecting' and import.last_chunk_at > quiet_since;
    continue when exists (
      select from bridge.lanes lane
      where lane.location_id = import.location_id and lane.state = 'ready' and lane.ready_at <= clock_timestamp()
        and not starts_with(lane.key, 'hist:'));
    select count(*) into in_flight from bridge.messages message
    where message.session_id = import.session_id and message.is_history and message.state = 'queued'
      and message.released_at is not null;
    room := least((args->>'perTurn')::int, (args->>'inFlight')::int - in_flight);
    for next_one in
      select message.* from bridge.messages message
      where message.session_id = import.session_id and message.is_history and message.state = 'queued'
        and message.released_at is null
      order by message.sent_at, message.seq limit greatest(room, 0)
    loop
      update bridge.messages message set released_at = clock_timestamp() where message.id = next_one.id;
      perform bridge.enqueue(
        'hist:' || next_one.session_id || ':' || next_one.contact_id, next_one.location_id, 'inbound', next_one.id);
      released := released + 1;
    end loop;
    update bridge.history_imports each
    set state = case when exists (
        select from bridge.messages message
        where message.session_id = import.session_id and message.is_history and message.state = 'queued')
      then 'importing' else 'done' end
    where each.session_id = import.session_id;
    update bridge.history_imports each set finished_at = clock_timestamp()
    where each.session_id = import.session_id and each.state = 'done';
  end loop;
  select count(*) into open_count from bridge.history_imports each
  where each.state <> 'done' and each.location_id in (select jsonb_array_elements_text(args->'locations'));
  return jsonb_build_object('released', released, 'open', open_count);
end
$$;

-- Internal, as in 0005; a message of history that could not be brought is shown by the import's count, not by a note each.
create or replace function bridge.note_due(message bridge.messages) returns text
language sql immutable as $$
  select case
    when message.is_history then null
    when message.state = 'failed' and message.noted is distinct from 'died' then 'died'
    when message.state in ('sent', 'delivered', 'read') and message.noted = 'died' then 'recovered' end
$$;

select bridge.finish_migration(12, '0012_history', 1, array[
  'begin_history', 'find_history', 'accept_history', 'release_history']);
notify pgrst, 'reload schema';
