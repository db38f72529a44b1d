-- 0011 Groups. Why: one conversation per group, each message in it once, however many numbers of the location are members. Oldest program: 1.

create table if not exists bridge.group_names (
  contact_id text not null constraint group_names_pk primary key
    constraint group_names_contact references bridge.contacts on delete cascade,
  name text not null
);
comment on table bridge.group_names is
  'What we called a group''s GHL contact: as long as it is still called so, a new name of the group is carried over.';

create index if not exists messages_by_location_and_wa_message on bridge.messages (location_id, wa_message_id);

-- As accept_inbound, for a group. Several numbers of a location can be members: what one has brought, or has sent for an
-- agent, the others only see again. The answer leaves by a number that is certainly a member: the one that heard last.
-- With "onlyKnown" nothing is recorded for a group that GHL does not show yet: '"unknown_group"'.
create or replace function bridge.accept_group_message(args jsonb) returns jsonb
language plpgsql as $$
declare
  contact bridge.contacts;
  outcome jsonb;
begin
  if (args->>'onlyKnown')::boolean and not exists (
    select from bridge.contacts known
    where known.location_id = args->>'locationId' and known.group_jid = args->>'group' and known.ghl_contact_id is not null
  ) then
    return '"unknown_group"';
  end if;
  contact := bridge.settle_contact(args->>'locationId', null, null, args->>'group');
  if exists (
    select from bridge.messages known
    where known.location_id = args->>'locationId' and known.wa_message_id = args->>'waMessageId'
      and known.contact_id = contact.id and known.session_id <> args->>'sessionId'
      and (known.origin = 'ghl' or known.author = args->>'author')
  ) then
    update bridge.journal line set settled_at = now()
    where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId' and line.settled_at is null
      and regexp_replace(line.sender, '(_\d+)?(:\d+)?@', '@') = args->>'author';
    return '"duplicate"';
  end if;
  outcome := bridge.accept_inbound(args);
  update bridge.contacts known set last_session_id = args->>'sessionId', updated_at = clock_timestamp()
  where known.id = contact.id and known.last_session_id is distinct from args->>'sessionId';
  return outcome;
end
$$;

create or replace function bridge.find_group_name(args jsonb) returns jsonb
language sql stable as $$
  select to_jsonb(given.name) from bridge.group_names given where given.contact_id = args->>'contactId'
$$;

create or replace function bridge.record_group_name(args jsonb) returns jsonb
language plpgsql as $$
begin
  insert into bridge.group_names (contact_id, name) values (args->>'contactId', args->>'name')
  on conflict (contact_id) do update set name = excluded.name;
  return 'true';
end
$$;

select bridge.finish_migration(11, '0011_groups', 1, array[
  'accept_group_message', 'find_group_name', 'record_group_name']);
notify pgrst, 'reload schema';
