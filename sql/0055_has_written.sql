-- 0055 Whether the person behind a GHL contact has ever written to us. Why: until then a number corrected in GHL is believed. Oldest program: 1.

create or replace function bridge.find_outbound_work(args jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'content', message.content, 'composed', message.composed,
    'ghlContactId', message.ghl_contact_id, 'writtenAt', bridge.to_ms(coalesce(message.written_at, message.created_at)),
    'isReleased', message.is_released,
    'contact', case when contact.id is not null then bridge.contact_json(contact) end,
    'hasWritten', exists (
      select from bridge.messages heard where heard.contact_id = contact.id and heard.direction = 'inbound'))
  from bridge.messages message
  left join lateral bridge.contact_of_ghl(message.location_id, message.ghl_contact_id) contact on true
  where message.id = args->>'id' and message.origin = 'ghl'
$$;

select bridge.finish_migration(55, '0055_has_written', 1, array['find_outbound_work']);
notify pgrst, 'reload schema';
