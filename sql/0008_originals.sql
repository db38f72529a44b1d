-- 0008 The message that another one is about. Why: a reaction, an edit, a deletion or a vote names its message by id alone. Oldest program: 1.

-- By WhatsApp id within one chat of one number: ids are chosen by the sender's app, and another chat's words are none of
-- this one's. What was written last wins, should an id stand twice in a chat.
create or replace function bridge.find_original(args jsonb) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', message.id, 'origin', message.origin, 'content', message.content, 'composed', message.composed)
  from bridge.messages message
  left join bridge.contacts contact on contact.id = message.contact_id
  where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
    and (message.chat in (args->>'lid', args->>'pn', args->>'group')
      or contact.lid = args->>'lid' or contact.pn = args->>'pn' or contact.group_jid = args->>'group')
  order by message.seq desc
  limit 1
$$;

-- The message that a placeholder stood for has come by itself; the placeholder, if nobody has seen it yet, is not needed.
create or replace function bridge.drop_placeholder(args jsonb) returns jsonb
language plpgsql as $$
begin
  delete from bridge.messages message
  where message.id = args->>'id' and message.origin <> 'ghl' and message.kind = 'placeholder'
    and message.ghl_message_id is null;
  return to_jsonb(found);
end
$$;

select bridge.finish_migration(8, '0008_originals', 1, array['find_original', 'drop_placeholder']);
notify pgrst, 'reload schema';
