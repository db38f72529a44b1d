-- 0009 Files and answers on their way out. Why: a caption is not lost with its file, and an answer shows what it answers. Oldest program: 1.

-- The caption of a file becomes a message of its own in the file's place, under its WhatsApp id and in its job; the file
-- goes to the end of the lane. A repeat finds no file in that place and changes nothing.
create or replace function bridge.split_caption(args jsonb) returns jsonb
language plpgsql as $$
declare
  caption bridge.messages;
  file bridge.messages;
begin
  update bridge.messages message
  set kind = 'text', content = args->>'captionContent', composed = null, updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin = 'ghl' and message.kind = 'attachment'
    and message.state in ('queued', 'sending')
  returning * into caption;
  if not found then
    return 'false';
  end if;
  insert into bridge.messages
    (id, location_id, contact_id, direction, origin, kind, state, chat, from_me, wa_message_id, ghl_contact_id,
     ghl_conversation_id, ghl_message_id, part_no, written_at, content, is_released)
  select args->>'fileId', caption.location_id, caption.contact_id, caption.direction, caption.origin, 'attachment', 'queued',
    caption.chat, caption.from_me, args->>'fileWaMessageId', caption.ghl_contact_id, caption.ghl_conversation_id,
    caption.ghl_message_id, max(part.part_no) + 1, caption.written_at, args->>'fileContent', caption.is_released
  from bridge.messages part
  where part.location_id = caption.location_id and part.ghl_message_id = caption.ghl_message_id and part.origin = 'ghl'
  returning * into file;
  perform bridge.enqueue(bridge.delivery_lane(file), file.location_id, 'outbound', file.id);
  return 'true';
end
$$;

-- What an outbound message answers: only within its own chat, so that nothing of one person's reaches another.
create or replace function bridge.find_quoted(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', quoted.id, 'locationId', quoted.location_id, 'sessionId', quoted.session_id, 'origin', quoted.origin,
    'waMessageId', quoted.wa_message_id, 'author', quoted.author, 'fromMe', quoted.from_me, 'content', quoted.content,
    'composed', quoted.composed)
  from bridge.messages answer
  join lateral bridge.contact_of_ghl(answer.location_id, answer.ghl_contact_id) contact on true
  join bridge.messages quoted on quoted.contact_id = contact.id and quoted.location_id = answer.location_id
  where answer.id = args->>'id' and quoted.wa_message_id = args->>'waMessageId' and quoted.session_id is not null
  order by quoted.seq desc
  limit 1
$$;

select bridge.finish_migration(9, '0009_outbound_files', 1, array['split_caption', 'find_quoted']);
notify pgrst, 'reload schema';
