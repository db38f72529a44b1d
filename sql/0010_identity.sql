-- 0010 What we owe a GHL contact (number, name), people who exist twice, the customer's read state, and by which number a message came. Why: a person known by LID alone gets one thread, and keeps it when the number is learnt. Oldest program: 1.

-- The kinds are the program's: JobKind in src/bridge/storage.ts. A list here would have to be changed with each of them.
alter table bridge.jobs drop constraint if exists jobs_kind;

alter table bridge.contacts add column if not exists owes_phone boolean not null default false;
alter table bridge.contacts add column if not exists owes_name boolean not null default false;
alter table bridge.contacts add column if not exists phone_holder text;
alter table bridge.contacts add column if not exists former_pn text;
comment on column bridge.contacts.owes_phone is
  'The GHL contact was made without a number, because WhatsApp hid it: it gets it when it is known.';
comment on column bridge.contacts.owes_name is
  'The GHL contact was made or found without the person''s own name being known: it gets it when it is known.';
comment on column bridge.contacts.phone_holder is
  'The other GHL contact that has this person''s number: a split contact, for people to merge.';
comment on column bridge.contacts.former_pn is 'The number that the person had until another LID came with it.';
comment on column bridge.contacts.former_ghl_contact_ids is
  'Other GHL contacts of this person, linked before or written to: an agent may write to them, and the chat must be found.';

alter table bridge.messages add column if not exists read_owed boolean not null default false;
create index if not exists messages_read_owed on bridge.messages (session_id, seq) where read_owed;
comment on column bridge.messages.read_owed is 'The agent has answered or seen it: it is to be marked read on WhatsApp.';

-- What can be paid now is a job; it reads what is owed when it runs. A trigger, because a number or a name is learnt in
-- many ways, and none may forget it.
create or replace function bridge.contact_changes() returns trigger
language plpgsql as $$
begin
  if old.pn is not null and new.pn is null then
    new.former_pn := old.pn;
  end if;
  if new.ghl_contact_id is not null
    and (new.owes_phone and new.pn is not null or new.owes_name and new.push_name is not null)
    and (new.pn, new.push_name, new.ghl_contact_id, new.owes_phone, new.owes_name)
      is distinct from (old.pn, old.push_name, old.ghl_contact_id, old.owes_phone, old.owes_name) then
    perform bridge.enqueue_once(
      'contact:' || new.location_id || ':' || new.id, new.location_id, 'contact', new.id);
  end if;
  return new;
end
$$;
create or replace trigger contacts_changes before update on bridge.contacts
  for each row execute function bridge.contact_changes();

-- "lastFiled": where to look for the survivor when GHL has merged the contact away. The search costs only those without a link.
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
    'lastSessionId', contact.last_session_id,
    'lastFiled', case when contact.ghl_contact_id is null then (
      select message.ghl_message_id from bridge.messages message
      where message.contact_id = contact.id and message.origin <> 'ghl' and message.ghl_message_id is not null
      order by message.seq desc limit 1) end)
$$;

-- "via": by which of the location's numbers it came, and how many of them are linked.
create or replace function bridge.find_inbound_work(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'content', message.content, 'contact', bridge.contact_json(contact),
    'via', jsonb_build_object(
      'name', session.name,
      'phoneNumber', session.phone_number,
      'numbers', (
        select count(*) from bridge.sessions linked
        where linked.location_id = message.location_id and linked.phone_number is not null
          and linked.status <> 'logged_out')))
  from bridge.messages message
  join bridge.contacts contact on contact.id = message.contact_id
  left join bridge.sessions session on session.id = message.session_id
  where message.id = args->>'id' and message.origin <> 'ghl'
$$;

create or replace function bridge.link_ghl(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.contacts contact
  set ghl_contact_id = args->>'ghlContactId',
    former_ghl_contact_ids = array_remove(
      array_remove(contact.former_ghl_contact_ids || contact.ghl_contact_id, null), args->>'ghlContactId'),
    owes_phone = coalesce((args->>'owesPhone')::boolean, false),
    owes_name = coalesce((args->>'owesName')::boolean, false),
    phone_holder = null,
    updated_at = clock_timestamp()
  where contact.id = args->>'contactId' and contact.ghl_contact_id is distinct from args->>'ghlContactId';
  return to_jsonb(found);
end
$$;

create or replace function bridge.unlink_ghl(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.contacts contact
  set ghl_contact_id = null, owes_phone = false, owes_name = false, phone_holder = null,
    former_ghl_contact_ids = array_remove(contact.former_ghl_contact_ids, contact.ghl_contact_id) || contact.ghl_contact_id,
    updated_at = clock_timestamp()
  where contact.location_id = args->>'locationId' and contact.ghl_contact_id = args->>'ghlContactId';
  return to_jsonb(found);
end
$$;

-- A person who has a thread keeps it: the GHL contact that an agent wrote to is remembered beside it.
create or replace function bridge.settle_person(args jsonb) returns jsonb
language plpgsql as $$
declare
  contact bridge.contacts := bridge.settle_contact(args->>'locationId', args->>'lid', args->>'pn', args->>'group');
begin
  update bridge.contacts known set chat = args->>'chat', updated_at = clock_timestamp() where known.id = contact.id;
  if contact.ghl_contact_id is null then
    perform bridge.link_ghl(jsonb_build_object('contactId', contact.id, 'ghlContactId', args->>'ghlContactId'));
  elsif contact.ghl_contact_id <> args->>'ghlContactId'
    and not contact.former_ghl_contact_ids @> array[args->>'ghlContactId'] then
    update bridge.contacts known
    set former_ghl_contact_ids = known.former_ghl_contact_ids || array[args->>'ghlContactId']
    where known.id = contact.id;
  end if;
  select * into contact from bridge.contacts known where known.id = contact.id;
  return bridge.contact_json(contact);
end
$$;

-- WhatsApp says which number belongs to which LID. Only for people we have met. Answers how many those are.
create or replace function bridge.learn_addresses(args jsonb) returns jsonb
language plpgsql as $$
declare
  pair record;
  met int := 0;
begin
  for pair in
    select distinct given.lid, given.pn from jsonb_to_recordset(args->'pairs') as given (lid text, pn text)
    order by given.lid, given.pn
  loop
    continue when not exists (
      select from bridge.contacts contact
      where contact.location_id = args->>'locationId'
        and (contact.lid = pair.lid and contact.pn is distinct from pair.pn or contact.pn = pair.pn and contact.lid is null));
    perform bridge.settle_contact(args->>'locationId', pair.lid, pair.pn, null);
    met := met + 1;
  end loop;
  return to_jsonb(met);
end
$$;

create or replace function bridge.find_owed_contact(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'contact', bridge.contact_json(contact),
    'owesPhone', contact.owes_phone and contact.pn is not null,
    'owesName', contact.owes_name and contact.push_name is not null)
  from bridge.contacts contact
  where contact.id = args->>'contactId' and contact.ghl_contact_id is not null
    and (contact.owes_phone and contact.pn is not null or contact.owes_name and contact.push_name is not null)
$$;

-- What was not paid stays owed; a link that changed meanwhile owes anew.
create or replace function bridge.record_paid(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.contacts contact
  set owes_phone = contact.owes_phone and not (args->>'phone')::boolean,
    owes_name = contact.owes_name and not (args->>'name')::boolean,
    phone_holder = coalesce(args->>'phoneHolder', contact.phone_holder),
    updated_at = clock_timestamp()
  where contact.id = args->>'contactId' and contact.ghl_contact_id = args->>'ghlContactId';
  return to_jsonb(found);
end
$$;

-- The agent has acted: what stood in the conversation by then is to be marked read. With "answeredBy" (a message of the
-- agent) by the time that message reached us, else by "until" or now. One job for each number that the person wrote to.
create or replace function bridge.owe_reads(args jsonb) returns jsonb
language plpgsql as $$
declare
  answer bridge.messages;
  person text;
  seen_by timestamptz := coalesce(bridge.from_ms((args->>'until')::bigint), clock_timestamp());
  session text;
  sessions text[];
begin
  if args ? 'answeredBy' then
    select * into answer from bridge.messages message where message.id = args->>'answeredBy';
    person := answer.contact_id;
    seen_by := answer.created_at;
  else
    person := (bridge.contact_of_ghl(args->>'locationId', args->>'ghlContactId')).id;
  end if;
  with owed as (
    update bridge.messages message set read_owed = true
    where message.contact_id = person and message.origin = 'customer' and message.state = 'delivered'
      and not message.read_owed and message.updated_at <= seen_by
    returning message.session_id
  )
  select coalesce(array_agg(distinct owed.session_id order by owed.session_id), '{}') into sessions from owed;
  foreach session in array sessions loop
    perform bridge.enqueue_once('read:' || session, known.location_id, 'read', session)
    from bridge.sessions known where known.id = session;
  end loop;
  return to_jsonb(cardinality(sessions));
end
$$;

create or replace function bridge.find_owed_reads(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object('locationId', session.location_id, 'messages', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', owed.id, 'chat', owed.chat, 'author', owed.author, 'waMessageId', owed.wa_message_id)), '[]')
    from (
      select message.* from bridge.messages message
      where message.session_id = session.id and message.read_owed order by message.seq limit 200
    ) owed))
  from bridge.sessions session where session.id = args->>'sessionId'
$$;

create or replace function bridge.settle_reads(args jsonb) returns jsonb
language plpgsql as $$
begin
  update bridge.messages message
  set read_owed = false,
    state = case when (args->>'isRead')::boolean and message.state = 'delivered' then 'read' else message.state end
  where message.id in (select jsonb_array_elements_text(args->'ids')) and message.read_owed;
  return to_jsonb(found);
end
$$;

-- People of a location who exist twice, or may: the newest 500 of each kind.
create or replace function bridge.split_contacts(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'several', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'contact', bridge.contact_json(found::bridge.contacts), 'others', to_jsonb(found.former_ghl_contact_ids))), '[]')
      from (
        select contact.* from bridge.contacts contact
        where contact.location_id = args->>'locationId' and contact.former_ghl_contact_ids <> '{}'
        order by contact.updated_at desc limit 500
      ) found),
    'shared', (
      select coalesce(jsonb_agg(jsonb_build_object('ghlContactId', found.ghl_contact_id, 'contacts', found.people)), '[]')
      from (
        select contact.ghl_contact_id, jsonb_agg(bridge.contact_json(contact) order by contact.created_at, contact.id) people
        from bridge.contacts contact
        where contact.location_id = args->>'locationId' and contact.ghl_contact_id is not null
        group by contact.ghl_contact_id having count(*) > 1
        order by max(contact.updated_at) desc limit 500
      ) found),
    'moved', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'former', bridge.contact_json(found.former), 'owner', bridge.contact_json(found.owner))), '[]')
      from (
        select former, owner from bridge.contacts former
        join bridge.contacts owner on owner.location_id = former.location_id and owner.pn = former.former_pn
          and owner.id <> former.id
        where former.location_id = args->>'locationId' and former.former_pn is not null
        order by former.updated_at desc limit 500
      ) found),
    'held', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'contact', bridge.contact_json(found::bridge.contacts), 'holder', found.phone_holder)), '[]')
      from (
        select contact.* from bridge.contacts contact
        where contact.location_id = args->>'locationId' and contact.phone_holder is not null
        order by contact.updated_at desc limit 500
      ) found))
$$;

select bridge.finish_migration(10, '0010_identity', 1, array[
  'learn_addresses', 'find_owed_contact', 'record_paid', 'owe_reads', 'find_owed_reads', 'settle_reads',
  'split_contacts']);
notify pgrst, 'reload schema';
