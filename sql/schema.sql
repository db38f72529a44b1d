-- Generated from the migrations by test/integration/store/migrate.test.ts; do not edit.

-- Tables

table bridge.audit  -- What callers did through the API: every change, and every look at a secret. No bodies, no secrets.
  id bigint not null generated always as identity
  at timestamp with time zone not null default clock_timestamp()
  caller_kind text not null
  caller_id text  -- The service key, or the person at GHL behind a page.
  action text not null  -- Method and route.
  location_id text
  target text  -- What it was done to: an id, or the path of a proxied call.
  outcome text not null  -- The HTTP status that the caller got.
  row level security, no policies
table bridge.call_logs  -- Voice AI calls, once each; a later look at the same call replaces what was known of it.
  location_id text not null
  call_id text not null
  agent_id text
  ghl_contact_id text
  duration_sec integer
  is_trial boolean not null
  called_at timestamp with time zone not null
  details text not null  -- Sealed by the program: number, summary, transcript and what was extracted.
  synced_at timestamp with time zone not null default now()
  row level security, no policies
table bridge.contacts  -- A person or group of one location. LID and PN are joined here; not unique by GHL contact, because GHL merges contacts.
  id text not null default (gen_random_uuid())::text
  location_id text not null
  lid text
  pn text
  group_jid text
  chat text
  push_name text
  ghl_contact_id text
  former_ghl_contact_ids text[] not null default '{}'::text[]  -- Other GHL contacts of this person, linked before or written to: an agent may write to them, and the chat must be found.
  last_session_id text  -- The number of ours that the person wrote to last.
  created_at timestamp with time zone not null default clock_timestamp()
  updated_at timestamp with time zone not null default clock_timestamp()
  owes_phone boolean not null default false  -- The GHL contact was made without a number, because WhatsApp hid it: it gets it when it is known.
  owes_name boolean not null default false  -- The GHL contact was made or found without the person's own name being known: it gets it when it is known.
  phone_holder text  -- The other GHL contact that has this person's number: a split contact, for people to merge.
  former_pn text  -- The number that the person had until another LID came with it.
  row level security, no policies
table bridge.evidence  -- One row for each piece of the set-up that only GHL can prove right: by its last success and its last refusal.
  piece text not null
  setting text not null  -- Keyed hash of the settings that were used: what was seen with others proves nothing of these.
  good_at timestamp with time zone
  bad_at timestamp with time zone
  reason text  -- Why it was refused at bad_at, as a stable word.
  row level security, no policies
table bridge.ghl_accounts  -- One row per installation of our app: a location, or an agency (no location_id).
  id text not null default (gen_random_uuid())::text
  location_id text
  company_id text
  user_type text not null
  status text not null
  scopes text not null
  location_name text
  provider_type text
  access_token text  -- Sealed by the program. Null before the first and after an uninstall.
  refresh_token text  -- Sealed by the program. Single use.
  token_expires_at timestamp with time zone not null
  refresh_holder text  -- Who may spend the refresh token until refresh_until. Stays after the refresh, so that a repeated finish is recognised.
  refresh_until timestamp with time zone
  installed_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
  user_id text
  version_id text
  is_bulk boolean not null default false
  company_name text
  white_label_domain text
  problem jsonb  -- {code, message, action}: what the last attempt to use or renew its tokens met; null when it went well.
  refreshed_at timestamp with time zone
  checked_at timestamp with time zone  -- When GHL last answered a call under these tokens that was made to find out.
  event_at timestamp with time zone  -- GHL's own time of the last INSTALL or UNINSTALL: an older one that comes later changes nothing.
  uninstalled_at timestamp with time zone
  time_zone text  -- IANA name, as GHL says where the location is; checked by the program. Null: not known.
  deactivated_at timestamp with time zone  -- Since when the operator has switched it off, whatever GHL says. Ends by his word, or by the code of a person who installs it anew. Those of one time were switched off together.
  version_at timestamp with time zone  -- GHL's own time of the event that named version_id: an older one that comes later changes nothing.
  provider_address text  -- "conversation" where GHL refuses messages that name the contact. Null: the contact, as usual.
  row level security, no policies
table bridge.group_names  -- What we called a group's GHL contact: as long as it is still called so, a new name of the group is carried over.
  contact_id text not null
  name text not null
  row level security, no policies
table bridge.history_imports  -- The import of a number's past: one per number, begun anew by each pairing. Stays when the number goes: what waits is still to be imported.
  session_id text not null
  location_id text not null
  state text not null
  days integer not null  -- How far back, counted from paired_at.
  paired_at timestamp with time zone not null
  last_chunk_at timestamp with time zone not null default clock_timestamp()  -- The phone sends its past in pieces, newest first; what it has sent is handed out when it has been quiet for a while.
  started_at timestamp with time zone not null default clock_timestamp()
  finished_at timestamp with time zone
  row level security, no policies
table bridge.jobs  -- What we owe, one row each; gone when done (the message row remembers), kept as a dead letter when given up.
  id bigint not null generated always as identity
  lane text not null
  kind text not null
  subject text not null  -- The message id; <locationId>/<ghlMessageId> for ghl_status.
  state text not null default 'waiting'::text
  attempts integer not null default 0  -- Counted at the claim, so that an attempt that crashed the process counts.
  may_have_happened boolean not null default false
  token bigint  -- Set while claimed. A claim that meets a token here meets an attempt that was never settled.
  claimed_by text  -- The claim id, or the token of the completed job this one was handed out after: a repeated call gets the same answer.
  leased_until timestamp with time zone
  error_code text
  error_message text
  created_at timestamp with time zone not null default now()
  dead_at timestamp with time zone
  row level security, no policies
table bridge.journal  -- Stanzas that Signal decrypted (it can do so once), committed with the ratchet step; settled when the message is recorded or needs none.
  session_id text not null
  wa_message_id text not null
  sender text not null
  seq bigint not null generated always as identity
  entry text not null  -- Sealed by the program.
  written_at timestamp with time zone not null default now()
  settled_at timestamp with time zone
  row level security, no policies
table bridge.lanes  -- One row per conversation with something to deliver. Emptied rows stay for a while: deleting and making them again costs more.
  key text not null
  location_id text not null
  state text not null  -- Why it waits. parked: for an outside change, which bridge.wake announces; backoff: an attempt failed.
  ready_at timestamp with time zone  -- When the lane may be claimed: now, after a back-off or a wait, or when the lease of the job in flight ends.
  joined_until timestamp with time zone  -- Until then a job in flight may be in the lane that was not claimed with it: it came with a lane that was joined.
  touched_at timestamp with time zone not null default now()
  row level security, no policies
table bridge.leases  -- Which node works for which location, until when. A row whose time has passed is free.
  location_id text not null
  node text
  fence bigint not null
  until timestamp with time zone not null
  row level security, no policies
table bridge.location_settings  -- Decisions of the people of a location; null: not decided, the program's default holds.
  location_id text not null
  groups boolean
  label boolean
  mark_read boolean
  hold_after_minutes integer
  pinned_session_id text
  history_days integer
  updated_at timestamp with time zone not null default now()
  row level security, no policies
table bridge.location_wakes  -- A location's last wake, so that a job claimed before it and parked after it does not sleep through it.
  location_id text not null
  woken_token bigint not null  -- From the sequence of the claims' tokens: which came first is then no question of clocks.
  cures jsonb not null default '{}'::jsonb  -- The token of the last wake by what was well again: "WA" (a number), "GHL". As woken_token, for jobs that back off.
  row level security, no policies
table bridge.messages  -- One row per WhatsApp message; an agent's message is as many rows as WhatsApp needs.
  id text not null
  seq bigint not null generated always as identity
  location_id text not null
  session_id text
  contact_id text
  direction text not null
  origin text not null  -- customer: written to us; phone: typed on the business' own device; ghl: written by an agent or a workflow.
  kind text not null
  state text not null  -- From WhatsApp: queued until GHL has it, then delivered (customer) or sent (phone). From GHL: as WhatsApp's receipts say.
  chat text
  author text
  author_key text
  from_me boolean not null
  wa_message_id text
  ghl_contact_id text
  ghl_conversation_id text
  ghl_message_id text
  part_no integer
  written_at timestamp with time zone  -- When the agent wrote it, by GHL's clock; for messages from GHL.
  content text not null  -- Sealed by the program: the envelope, or the part with the phone number.
  composed text  -- Sealed by the program: the WhatsApp message as it is sent, for repeats.
  attempts integer not null default 0  -- What the delivery took; while its job exists, the job counts.
  error jsonb
  is_released boolean not null default false  -- A person has said to send it whatever its age: it is not held again.
  ghl_told_failed boolean not null default false  -- GHL shows failed, which is final there: what becomes of the message later is told by a note.
  noted text  -- What the last note in the GHL conversation said of this message.
  created_at timestamp with time zone not null default clock_timestamp()
  updated_at timestamp with time zone not null default clock_timestamp()
  read_owed boolean not null default false  -- The agent has answered or seen it: it is to be marked read on WhatsApp.
  is_history boolean not null default false  -- From before the pairing: imported, behind what is live.
  sent_at timestamp with time zone  -- When it was sent, by WhatsApp's clock; for history.
  released_at timestamp with time zone  -- When its job was made; null while it waits to be handed out. For history.
  acked_at timestamp with time zone  -- When WhatsApp's server took it, or GHL what was typed on the phone.
  arrived_at timestamp with time zone  -- When it arrived: on the customer's phone, or in GHL.
  discarded_at timestamp with time zone  -- When a person said to drop it. A failed one stays failed; a held one is ignored from then on.
  row level security, no policies
table bridge.nodes  -- Nodes that were alive a moment ago, to share the locations out evenly.
  id text not null
  until timestamp with time zone not null
  row level security, no policies
table bridge.oauth_states  -- OAuth round trips under way; each state works once.
  state_hash text not null
  expires_at timestamp with time zone not null
  row level security, no policies
table bridge.pairing_links  -- Links under which a session can be paired by whoever holds them, for a short time.
  token_hash text not null
  session_id text not null
  expires_at timestamp with time zone not null
  row level security, no policies
table bridge.schema_versions  -- One row per applied file of sql/, written by the file itself, so that the runner, the Supabase CLI and pasting leave the same mark.
  version integer not null
  name text not null
  checksum text  -- SHA-256 of the file, written by the runner; null when the file was pasted.
  oldest_program integer not null  -- A program works with this schema when the newest file it ships has at least this number.
  applied_at timestamp with time zone not null default now()
  row level security, no policies
table bridge.service_keys  -- Bearers of sibling backends. A revoked one stays, so that the audit can name it.
  id text not null
  name text not null
  location_id text  -- The only location it may touch; null: every one.
  scopes text[] not null
  key_hash text not null  -- SHA-256 of the key, which has 256 random bits: no salt or stretching is needed. The key itself is nowhere.
  created_at timestamp with time zone not null default now()
  last_used_at timestamp with time zone
  revoked_at timestamp with time zone
  row level security, no policies
table bridge.session_credentials  -- The login of a linked device, sealed by the program.
  session_id text not null
  value text not null
  updated_at timestamp with time zone not null default now()
  row level security, no policies
table bridge.session_keys  -- Signal keys, sealed by the program. Only the current value is any good: never restore an old one.
  session_id text not null
  kind text not null
  id text not null
  value text not null
  row level security, no policies
table bridge.sessions  -- One linked WhatsApp device of a location.
  id text not null
  seq bigint not null generated always as identity  -- Order of creation: clocks tie.
  location_id text not null
  status text not null default 'initializing'::text
  phone_number text
  lid text
  name text
  is_default boolean not null default false
  problem jsonb  -- {code, message, action, until?, scannedPhone?}: the one thing that is wrong, in words for its owner.
  expected_phone text
  last_seen_at timestamp with time zone
  paired_at timestamp with time zone  -- When the device was linked last. What an agent wrote before and what reaches us after is held, not sent.
  wish jsonb  -- {id, kind: pair | restart | log_out, codeFor?}: what the owner is asked to do next; gone when it is begun.
  live text  -- QR text and pairing code while one is shown. Sealed by the program.
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
  next_attempt_at timestamp with time zone  -- When the next connection is tried by itself; null while none is planned.
  notice jsonb  -- {code, message, action, until}: what a number that is connected cannot do until then, in words for its owner.
  row level security, no policies
table bridge.sync_status  -- Long work, one row per kind and scope: what the last run did, or the running one has done so far.
  kind text not null
  scope text not null  -- What it is about: a location, an agency, or "all".
  state text not null
  params text not null default ''::text  -- What was asked for; a run with other params does not go on where this one stopped.
  cursor text  -- Where to go on after an interruption, in the words of the work itself. Null at its start and after its end.
  total integer
  done integer not null default 0
  failed integer not null default 0
  message text
  holder text
  until timestamp with time zone  -- The holder counts as dead after this.
  started_at timestamp with time zone not null default now()
  finished_at timestamp with time zone
  updated_at timestamp with time zone not null default now()
  skipped integer not null default 0  -- Items that cannot be taken, whoever tries: neither done nor failed.
  row level security, no policies
table bridge.webhook_events  -- Signed app events and provider deliveries of GHL, once each.
  webhook_id text not null  -- GHL's id of an app event; of a delivery, behind "delivery:", for nothing says that the two never share one.
  type text not null
  location_id text
  payload text not null  -- Sealed by the program.
  received_at timestamp with time zone not null default now()
  company_id text
  state text not null default 'ignored'::text
  reason text  -- Why it was ignored, or what its last attempt met.
  attempts integer not null default 0
  next_at timestamp with time zone not null default now()
  settled_at timestamp with time zone
  row level security, no policies

-- Constraints

audit: audit_caller_kind CHECK ((caller_kind = ANY (ARRAY['operator'::text, 'page'::text, 'service'::text])))
audit: audit_pk PRIMARY KEY (id)
call_logs: call_logs_pk PRIMARY KEY (location_id, call_id)
contacts: contacts_has_an_address CHECK ((num_nonnulls(lid, pn, group_jid) > 0))
contacts: contacts_one_per_group UNIQUE (location_id, group_jid)
contacts: contacts_one_per_lid UNIQUE (location_id, lid)
contacts: contacts_one_per_pn UNIQUE (location_id, pn)
contacts: contacts_pk PRIMARY KEY (id)
evidence: evidence_pk PRIMARY KEY (piece)
ghl_accounts: ghl_accounts_location_or_company CHECK (((location_id IS NOT NULL) OR (company_id IS NOT NULL)))
ghl_accounts: ghl_accounts_one_per_location UNIQUE (location_id)
ghl_accounts: ghl_accounts_pk PRIMARY KEY (id)
ghl_accounts: ghl_accounts_provider_address CHECK ((provider_address = 'conversation'::text))
ghl_accounts: ghl_accounts_provider_type CHECK ((provider_type = ANY (ARRAY['Custom'::text, 'SMS'::text])))
ghl_accounts: ghl_accounts_status CHECK ((status = ANY (ARRAY['pending'::text, 'active'::text, 'needs_reconnect'::text, 'uninstalled'::text])))
ghl_accounts: ghl_accounts_user_type CHECK ((user_type = ANY (ARRAY['Location'::text, 'Company'::text])))
group_names: group_names_contact FOREIGN KEY (contact_id) REFERENCES bridge.contacts(id) ON DELETE CASCADE
group_names: group_names_pk PRIMARY KEY (contact_id)
history_imports: history_imports_pk PRIMARY KEY (session_id)
history_imports: history_imports_state CHECK ((state = ANY (ARRAY['collecting'::text, 'importing'::text, 'done'::text])))
jobs: jobs_lane FOREIGN KEY (lane) REFERENCES bridge.lanes(key)
jobs: jobs_pk PRIMARY KEY (id)
jobs: jobs_state CHECK ((state = ANY (ARRAY['waiting'::text, 'dead'::text])))
journal: journal_pk PRIMARY KEY (session_id, wa_message_id, sender)
journal: journal_session FOREIGN KEY (session_id) REFERENCES bridge.sessions(id) ON DELETE CASCADE
lanes: lanes_empty_means_no_time CHECK (((state = 'empty'::text) = (ready_at IS NULL)))
lanes: lanes_pk PRIMARY KEY (key)
lanes: lanes_state CHECK ((state = ANY (ARRAY['empty'::text, 'ready'::text, 'leased'::text, 'backoff'::text, 'parked'::text])))
leases: leases_pk PRIMARY KEY (location_id)
location_settings: location_settings_history_days CHECK (((history_days >= 0) AND (history_days <= 90)))
location_settings: location_settings_hold_after CHECK (((hold_after_minutes >= 1) AND (hold_after_minutes <= 10080)))
location_settings: location_settings_pinned_session FOREIGN KEY (pinned_session_id) REFERENCES bridge.sessions(id) ON DELETE SET NULL
location_settings: location_settings_pk PRIMARY KEY (location_id)
location_wakes: location_wakes_pk PRIMARY KEY (location_id)
messages: messages_contact FOREIGN KEY (contact_id) REFERENCES bridge.contacts(id)
messages: messages_direction CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text])))
messages: messages_noted CHECK ((noted = ANY (ARRAY['died'::text, 'recovered'::text])))
messages: messages_origin CHECK ((origin = ANY (ARRAY['customer'::text, 'phone'::text, 'ghl'::text])))
messages: messages_pk PRIMARY KEY (id)
messages: messages_seq UNIQUE (seq)
messages: messages_state CHECK ((state = ANY (ARRAY['received'::text, 'queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text, 'held'::text, 'ignored'::text])))
nodes: nodes_pk PRIMARY KEY (id)
oauth_states: oauth_states_pk PRIMARY KEY (state_hash)
pairing_links: pairing_links_pk PRIMARY KEY (token_hash)
pairing_links: pairing_links_session FOREIGN KEY (session_id) REFERENCES bridge.sessions(id) ON DELETE CASCADE
schema_versions: schema_versions_pk PRIMARY KEY (version)
service_keys: service_keys_one_per_hash UNIQUE (key_hash)
service_keys: service_keys_pk PRIMARY KEY (id)
session_credentials: session_credentials_pk PRIMARY KEY (session_id)
session_credentials: session_credentials_session FOREIGN KEY (session_id) REFERENCES bridge.sessions(id) ON DELETE CASCADE
session_keys: session_keys_pk PRIMARY KEY (session_id, kind, id)
session_keys: session_keys_session FOREIGN KEY (session_id) REFERENCES bridge.sessions(id) ON DELETE CASCADE
sessions: sessions_pk PRIMARY KEY (id)
sessions: sessions_status CHECK ((status = ANY (ARRAY['initializing'::text, 'qr'::text, 'pairing'::text, 'connecting'::text, 'ready'::text, 'disconnected'::text, 'logged_out'::text, 'replaced'::text, 'restricted'::text, 'banned'::text, 'outdated'::text])))
sync_status: sync_status_pk PRIMARY KEY (kind, scope)
sync_status: sync_status_state CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'failed'::text])))
webhook_events: webhook_events_pk PRIMARY KEY (webhook_id)
webhook_events: webhook_events_state CHECK ((state = ANY (ARRAY['received'::text, 'processed'::text, 'ignored'::text, 'failed'::text])))

-- Indexes

CREATE INDEX audit_by_location ON bridge.audit USING btree (location_id, id)
CREATE INDEX audit_by_time ON bridge.audit USING btree (at)
CREATE INDEX call_logs_by_time ON bridge.call_logs USING btree (location_id, called_at DESC, call_id DESC)
CREATE INDEX contacts_by_former_ghl_contact ON bridge.contacts USING gin (former_ghl_contact_ids)
CREATE INDEX contacts_by_ghl_contact ON bridge.contacts USING btree (location_id, ghl_contact_id)
CREATE INDEX ghl_accounts_by_company ON bridge.ghl_accounts USING btree (company_id)
CREATE INDEX ghl_accounts_by_expiry ON bridge.ghl_accounts USING btree (token_expires_at) WHERE (status = 'active'::text)
CREATE UNIQUE INDEX ghl_accounts_one_per_company ON bridge.ghl_accounts USING btree (company_id) WHERE (location_id IS NULL)
CREATE INDEX ghl_accounts_refreshing ON bridge.ghl_accounts USING btree (refresh_until) WHERE (refresh_until IS NOT NULL)
CREATE INDEX history_imports_open ON bridge.history_imports USING btree (location_id) WHERE (state <> 'done'::text)
CREATE INDEX jobs_dead ON bridge.jobs USING btree (id) WHERE (state = 'dead'::text)
CREATE INDEX jobs_dead_by_lane ON bridge.jobs USING btree (lane) WHERE (state = 'dead'::text)
CREATE UNIQUE INDEX jobs_one_per_message ON bridge.jobs USING btree (kind, subject) WHERE (kind = ANY (ARRAY['inbound'::text, 'outbound'::text]))
CREATE INDEX jobs_waiting_by_lane ON bridge.jobs USING btree (lane, id) WHERE (state = 'waiting'::text)
CREATE INDEX journal_prunable ON bridge.journal USING btree (settled_at) WHERE (settled_at IS NOT NULL)
CREATE INDEX journal_unsettled ON bridge.journal USING btree (session_id, seq) WHERE (settled_at IS NULL)
CREATE INDEX lanes_backing_off_by_location ON bridge.lanes USING btree (location_id) WHERE (state = 'backoff'::text)
CREATE INDEX lanes_by_location_and_time ON bridge.lanes USING btree (location_id, ready_at) WHERE (ready_at IS NOT NULL)
CREATE INDEX lanes_by_ready_at ON bridge.lanes USING btree (ready_at) WHERE (ready_at IS NOT NULL)
CREATE INDEX lanes_parked_by_location ON bridge.lanes USING btree (location_id) WHERE (state = 'parked'::text)
CREATE INDEX lanes_prunable ON bridge.lanes USING btree (touched_at) WHERE (state = 'empty'::text)
CREATE INDEX leases_by_node ON bridge.leases USING btree (node)
CREATE INDEX location_settings_by_pinned_session ON bridge.location_settings USING btree (pinned_session_id)
CREATE INDEX messages_by_contact ON bridge.messages USING btree (contact_id)
CREATE INDEX messages_by_day ON bridge.messages USING btree (location_id, created_at)
CREATE INDEX messages_by_ghl_message ON bridge.messages USING btree (location_id, ghl_message_id)
CREATE INDEX messages_by_location ON bridge.messages USING btree (location_id, seq)
CREATE INDEX messages_by_location_and_wa_message ON bridge.messages USING btree (location_id, wa_message_id)
CREATE INDEX messages_by_session ON bridge.messages USING btree (session_id, seq)
CREATE INDEX messages_by_time ON bridge.messages USING brin (created_at)
CREATE INDEX messages_by_wa_message ON bridge.messages USING btree (session_id, wa_message_id)
CREATE INDEX messages_history ON bridge.messages USING btree (session_id, state, released_at) WHERE is_history
CREATE INDEX messages_needed ON bridge.messages USING btree (location_id, seq) WHERE ((state = ANY (ARRAY['failed'::text, 'held'::text])) AND (discarded_at IS NULL))
CREATE UNIQUE INDEX messages_once_from_ghl ON bridge.messages USING btree (location_id, ghl_message_id, part_no) WHERE (origin = 'ghl'::text)
CREATE UNIQUE INDEX messages_once_from_whatsapp ON bridge.messages USING btree (session_id, contact_id, from_me, wa_message_id, author_key) WHERE (origin <> 'ghl'::text)
CREATE INDEX messages_read_owed ON bridge.messages USING btree (session_id, seq) WHERE read_owed
CREATE INDEX messages_unfinished ON bridge.messages USING btree (state, seq) WHERE (state = ANY (ARRAY['received'::text, 'queued'::text, 'sending'::text, 'failed'::text, 'held'::text, 'ignored'::text]))
CREATE INDEX pairing_links_by_session ON bridge.pairing_links USING btree (session_id)
CREATE INDEX sessions_by_location ON bridge.sessions USING btree (location_id, seq)
CREATE UNIQUE INDEX sessions_one_default_per_location ON bridge.sessions USING btree (location_id) WHERE is_default
CREATE INDEX sessions_with_wish ON bridge.sessions USING btree (location_id) WHERE (wish IS NOT NULL)
CREATE INDEX webhook_events_by_location ON bridge.webhook_events USING btree (location_id, received_at)
CREATE INDEX webhook_events_by_time ON bridge.webhook_events USING btree (received_at, webhook_id)
CREATE INDEX webhook_events_waiting ON bridge.webhook_events USING btree (next_at) WHERE (state = 'received'::text)

-- Sequences

sequence bridge.audit_id_seq
sequence bridge.claim_tokens
sequence bridge.fences
sequence bridge.jobs_id_seq
sequence bridge.journal_seq_seq
sequence bridge.messages_seq_seq
sequence bridge.sessions_seq_seq

-- Functions

CREATE OR REPLACE FUNCTION bridge.abandon_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account
  set refresh_holder = null, refresh_until = null, updated_at = now(),
    status = case when (args->>'needsReconnect')::boolean then 'needs_reconnect' else account.status end
  where account.id = args->>'installationId' and account.refresh_holder = args->>'holder';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.accept_group_message(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.accept_history(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.accept_inbound(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.accept_outbound(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.activate_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  back bridge.ghl_accounts;
  locations jsonb := '[]';
begin
  for back in
    update bridge.ghl_accounts account set deactivated_at = null, updated_at = now()
    from bridge.ghl_accounts named
    where named.id = args->>'installationId'
      and (account.id = named.id or named.location_id is null and account.company_id = named.company_id)
      and account.deactivated_at = named.deactivated_at
    returning account.*
  loop
    if back.location_id is not null then
      locations := locations || to_jsonb(back.location_id);
    end if;
    perform bridge.announce('installation', coalesce(back.location_id, back.company_id));
  end loop;
  return locations;
end
$function$
CREATE OR REPLACE FUNCTION bridge.advance(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.advance_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.sync_status sync
  set cursor = case when args ? 'cursor' then args->>'cursor' else sync.cursor end,
    total = coalesce((args->>'total')::int, sync.total),
    done = coalesce((args->>'done')::int, sync.done),
    failed = coalesce((args->>'failed')::int, sync.failed),
    skipped = coalesce((args->>'skipped')::int, sync.skipped),
    message = coalesce(args->>'message', sync.message),
    until = bridge.after_ms((args->>'holdMs')::bigint), updated_at = now()
  where sync.kind = args->>'kind' and sync.scope = args->>'scope' and sync.holder = args->>'holder'
    and sync.state = 'running';
  if not found then
    raise exception 'another runs this work now' using errcode = 'BR001';
  end if;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.after_ms(ms bigint)
 RETURNS timestamp with time zone
 LANGUAGE sql
AS $function$
  select clock_timestamp() + ms * interval '1 millisecond'
$function$
CREATE OR REPLACE FUNCTION bridge.ailment(error_code text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select split_part(error_code, '_', 1)
$function$
CREATE OR REPLACE FUNCTION bridge.announce(topic text, subject text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('bridge', topic || ' ' || subject);
  if to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null then
    execute 'select realtime.send($1, $2, $3, true)' using jsonb_build_object('subject', subject), topic, 'bridge';
  end if;
end
$function$
CREATE OR REPLACE FUNCTION bridge.announce_message()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform bridge.announce('work', new.location_id);
  return null;
end
$function$
CREATE OR REPLACE FUNCTION bridge.begin_history(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.begin_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  held bridge.ghl_accounts;
begin
  update bridge.ghl_accounts account
  set refresh_holder = args->>'holder', refresh_until = bridge.after_ms((args->>'holdMs')::bigint)
  where account.id = args->>'installationId' and account.access_token is not null
    and (account.refresh_until is null or account.refresh_until <= clock_timestamp()
      or account.refresh_holder = args->>'holder')
  returning * into held;
  return case when held.id is not null then bridge.tokens_json(held) end;
end
$function$
CREATE OR REPLACE FUNCTION bridge.begin_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  held bridge.sync_status;
begin
  insert into bridge.sync_status (kind, scope, state, params, holder, until)
  values (args->>'kind', args->>'scope', 'running', coalesce(args->>'params', ''), args->>'holder',
    bridge.after_ms((args->>'holdMs')::bigint))
  on conflict do nothing
  returning * into held;
  if not found then
    update bridge.sync_status sync
    set state = 'running', params = coalesce(args->>'params', ''), holder = args->>'holder',
      until = bridge.after_ms((args->>'holdMs')::bigint),
      cursor = case when bridge.is_resumable(sync, args) then sync.cursor end,
      total = case when bridge.is_resumable(sync, args) then sync.total end,
      done = case when bridge.is_resumable(sync, args) then sync.done else 0 end,
      failed = case when bridge.is_resumable(sync, args) then sync.failed else 0 end,
      skipped = case when bridge.is_resumable(sync, args) then sync.skipped else 0 end,
      started_at = case when bridge.is_resumable(sync, args) then sync.started_at else now() end,
      message = null, finished_at = null, updated_at = now()
    where sync.kind = args->>'kind' and sync.scope = args->>'scope'
      and (sync.state <> 'running' or sync.until <= clock_timestamp() or sync.holder = args->>'holder')
    returning * into held;
  end if;
  return case when held.kind is not null then bridge.sync_json(held) end;
end
$function$
CREATE OR REPLACE FUNCTION bridge.bury(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  lane_key text := bridge.lock_claimed((args->>'jobId')::bigint, (args->>'token')::bigint);
begin
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job
  set state = 'dead', token = null, dead_at = now(), error_code = args->>'code', error_message = args->>'message'
  where job.id = (args->>'jobId')::bigint;
  perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.busy_locations(mine text[])
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
AS $function$
  with recursive busy as (
    select min(lane.location_id) as id from bridge.lanes lane where lane.ready_at is not null
    union all
    select (select min(lane.location_id) from bridge.lanes lane
      where lane.ready_at is not null and lane.location_id > busy.id)
    from busy where busy.id is not null
  )
  select busy.id from busy where busy.id is not null and (mine is null or busy.id = any (mine))
$function$
CREATE OR REPLACE FUNCTION bridge.by_hand_json(message_id text, was_waiting boolean)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object('wasWaiting', was_waiting, 'row', bridge.message_view(message))
  from bridge.messages message where message.id = message_id
$function$
CREATE OR REPLACE FUNCTION bridge.census(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'messages', (select coalesce(jsonb_agg(jsonb_build_object('direction', direction, 'state', state, 'count', counted)), '[]')
      from (select message.direction, message.state, count(*) as counted from bridge.messages message
        where message.created_at >= now() - interval '1 day' and not message.is_history
        group by message.direction, message.state) by_state),
    'queue', (select jsonb_build_object(
        'waiting', count(*) filter (where lane.state <> 'parked'),
        'parked', count(*) filter (where lane.state = 'parked'),
        'oldestWaitingMs', round(extract(epoch from
          clock_timestamp() - min(job.created_at) filter (where lane.state <> 'parked')) * 1000))
        || jsonb_build_object('dead', (select count(*) from bridge.jobs buried where buried.state = 'dead'))
      from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting'),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select session.status, count(*) as counted from bridge.sessions session group by session.status) by_status),
    'installations', (select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', counted)), '[]')
      from (select bridge.installation_status(account) as status, count(*) as counted from bridge.ghl_accounts account group by 1) by_status))
$function$
CREATE OR REPLACE FUNCTION bridge.claim(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  mine text[] := case when jsonb_typeof(args->'locations') = 'array'
    then array(select jsonb_array_elements_text(args->'locations')) end;
  most int := (args->>'limit')::int;
  most_each int := coalesce((args->>'perLocation')::int, most);
  in_hand jsonb := coalesce(args->'inHand', '{}');
  lane_keys text[] := '{}';
  lane_key text;
  taken jsonb := '[]';
  next_at timestamptz;
begin
  if (args->>'isRepeat')::boolean then
    select coalesce(jsonb_agg(bridge.job_json(job)), '[]') into taken
    from bridge.jobs job where job.claimed_by = args->>'claimId' and job.token is not null;
  end if;
  if taken = '[]' then
    select coalesce(array_agg(fair.key order by fair.place, fair.ready_at), '{}') into lane_keys from (
      select ready.key, ready.ready_at, coalesce((in_hand->>busy.id)::int, 0)
        + row_number() over (partition by busy.id order by ready.ready_at) as place
      from bridge.busy_locations(mine) as busy(id)
      cross join lateral (
        select lane.key, lane.ready_at from bridge.lanes lane
        where lane.location_id = busy.id and lane.ready_at <= clock_timestamp()
        order by lane.ready_at
        limit least(most, greatest(most_each - coalesce((in_hand->>busy.id)::int, 0), 0))
        for update skip locked
      ) ready
      order by place, ready.ready_at
      limit most
    ) fair;
    foreach lane_key in array lane_keys loop
      -- Null, for a lane that turned out empty, adds nothing.
      taken := taken || coalesce(bridge.lease_head(lane_key, (args->>'leaseMs')::bigint, args->>'claimId'), '[]');
    end loop;
  end if;
  select min(soonest.ready_at) into next_at
  from bridge.busy_locations(mine) as busy(id)
  cross join lateral (
    select lane.ready_at from bridge.lanes lane
    where lane.location_id = busy.id and lane.ready_at is not null order by lane.ready_at limit 1
  ) soonest
  -- What a location with full hands has waiting is claimed when one of its jobs is settled.
  where coalesce((in_hand->>busy.id)::int, 0) + (
    select count(*) from jsonb_array_elements(taken) as job where job->>'locationId' = busy.id) < most_each;
  return jsonb_build_object(
    'jobs', taken,
    -- A lane that is due already but was not taken is locked by somebody: soon, not in a busy loop.
    'nextInMs', case when next_at is not null
      then greatest(ceil(extract(epoch from next_at - clock_timestamp()) * 1000), 5) end);
end
$function$
CREATE OR REPLACE FUNCTION bridge.claim_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  claimed jsonb;
begin
  with waiting as (
    select event.webhook_id from bridge.webhook_events event
    where event.state = 'received' and event.next_at <= clock_timestamp()
    order by event.next_at limit (args->>'limit')::int
    for update skip locked
  ), taken as (
    update bridge.webhook_events event
    set attempts = event.attempts + 1, next_at = bridge.after_ms((args->>'holdMs')::bigint)
    from waiting where event.webhook_id = waiting.webhook_id
    returning event.*
  )
  select coalesce(jsonb_agg(jsonb_build_object('webhookId', taken.webhook_id, 'locationId', taken.location_id,
    'payload', taken.payload, 'attempts', taken.attempts) order by taken.received_at), '[]')
  into claimed from taken;
  return claimed;
end
$function$
CREATE OR REPLACE FUNCTION bridge.complete(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  job_id bigint := (args->>'jobId')::bigint;
  lane_key text := bridge.lock_claimed(job_id, (args->>'token')::bigint);
begin
  if lane_key is null then
    return (
      select bridge.job_json(job) from bridge.jobs job
      where job.lane = args->>'lane' and job.state = 'waiting' and job.token is not null
        and job.claimed_by = 'after:' || (args->>'token')
    );
  end if;
  delete from bridge.jobs job where job.id = job_id;
  if bridge.in_flight_until(lane_key) is not null then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
    return null;
  end if;
  return bridge.lease_head(lane_key, (args->>'leaseMs')::bigint, 'after:' || (args->>'token'));
end
$function$
CREATE OR REPLACE FUNCTION bridge.contact_changes()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.contact_json(contact bridge.contacts)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.contact_of_ghl(location text, ghl_contact text)
 RETURNS bridge.contacts
 LANGUAGE sql
 STABLE
AS $function$
  select contact.* from bridge.contacts contact
  where contact.location_id = location
    and (contact.ghl_contact_id = ghl_contact or contact.former_ghl_contact_ids @> array[ghl_contact])
  order by (contact.ghl_contact_id = ghl_contact) desc nulls last, contact.updated_at desc
  limit 1
$function$
CREATE OR REPLACE FUNCTION bridge.count_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_object_agg(counted.health, counted.count), '{}')
  from (
    select bridge.installation_health(account) as health, count(*) as count
    from bridge.ghl_accounts account group by 1
  ) counted
$function$
CREATE OR REPLACE FUNCTION bridge.count_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  with location as (
    select bridge.installation_health(account) as health, bridge.numbers_state(account.location_id) as numbers
    from bridge.ghl_accounts account where account.user_type = 'Location'
  )
  select jsonb_build_object(
    'tokens', (select coalesce(jsonb_object_agg(health, count), '{}')
      from (select health, count(*) from location group by 1) counted),
    'numbers', (select coalesce(jsonb_object_agg(numbers, count), '{}')
      from (select numbers, count(*) from location group by 1) counted),
    'letters', (select coalesce(jsonb_object_agg(state, count), '{}')
      from (select message.state, count(*) from bridge.messages message
        where message.state in ('failed', 'held', 'queued', 'sending') and message.discarded_at is null
          and not message.is_history group by 1) counted))
$function$
CREATE OR REPLACE FUNCTION bridge.count_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(counted.json order by counted.kind), '[]')
  from (
    select sync.kind, jsonb_build_object(
      'kind', sync.kind,
      'running', count(*) filter (where bridge.sync_state(sync) = 'running'),
      'interrupted', count(*) filter (where bridge.sync_state(sync) = 'interrupted'),
      'failed', count(*) filter (where bridge.sync_state(sync) = 'failed'),
      'done', count(*) filter (where bridge.sync_state(sync) = 'done'),
      'latestAt', bridge.to_ms(max(sync.updated_at))) as json
    from bridge.sync_status sync group by sync.kind
  ) counted
$function$
CREATE OR REPLACE FUNCTION bridge.count_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'access', count(account.access_token) filter (where account.token_expires_at > clock_timestamp()),
    'refresh', count(account.refresh_token))
  from bridge.ghl_accounts account where account.status = 'active'
$function$
CREATE OR REPLACE FUNCTION bridge.count_waiting(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'messages', count(*),
    'held', count(*) filter (where waiting.state = 'held'),
    'locations', count(distinct waiting.location_id),
    'upTo', max(waiting.seq)::text)
  from bridge.waiting_messages(args) waiting
$function$
CREATE OR REPLACE FUNCTION bridge.create_oauth_state(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.oauth_states (state_hash, expires_at)
  values (args->>'stateHash', bridge.after_ms((args->>'ttlMs')::bigint))
  on conflict do nothing;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.create_pairing_link(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.pairing_links (token_hash, session_id, expires_at)
  values (args->>'tokenHash', args->>'sessionId', bridge.after_ms((args->>'ttlMs')::bigint))
  on conflict do nothing;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.create_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  created bridge.service_keys;
begin
  insert into bridge.service_keys (id, name, location_id, scopes, key_hash)
  values (args->>'id', args->>'name', args->>'locationId',
    array(select jsonb_array_elements_text(args->'scopes')), args->>'keyHash')
  on conflict (id) do nothing;
  select * into strict created from bridge.service_keys key where key.id = args->>'id';
  return bridge.service_key_json(created);
end
$function$
CREATE OR REPLACE FUNCTION bridge.create_session(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  created bridge.sessions;
begin
  perform bridge.lock_default(args->>'locationId');
  insert into bridge.sessions (id, location_id, expected_phone, wish)
  values (args->>'sessionId', args->>'locationId', args->>'expectedPhone', args->'wish')
  on conflict do nothing;
  perform bridge.ensure_default(args->>'locationId');
  select * into created from bridge.sessions session where session.id = args->>'sessionId';
  perform bridge.announce('session', created.location_id || ' ' || created.id);
  return bridge.session_json(created);
end
$function$
CREATE OR REPLACE FUNCTION bridge.deactivate_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  gone bridge.ghl_accounts;
begin
  for gone in
    update bridge.ghl_accounts account set deactivated_at = now(), updated_at = now()
    from bridge.ghl_accounts named
    where named.id = args->>'installationId' and named.status <> 'uninstalled'
      and (account.id = named.id or named.location_id is null and account.company_id = named.company_id)
      and account.status <> 'uninstalled' and account.deactivated_at is null
    returning account.*
  loop
    perform bridge.announce('installation', coalesce(gone.location_id, gone.company_id));
  end loop;
  return (select bridge.installation_json(account) from bridge.ghl_accounts account where account.id = args->>'installationId');
end
$function$
CREATE OR REPLACE FUNCTION bridge.delivery_attempts(message bridge.messages)
 RETURNS integer
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(max(job.attempts), message.attempts) from bridge.jobs job
  where job.subject = message.id and job.kind = bridge.delivery_kind(message) and job.kind in ('inbound', 'outbound')
$function$
CREATE OR REPLACE FUNCTION bridge.delivery_kind(message bridge.messages)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when message.origin = 'ghl' then 'outbound' else 'inbound' end
$function$
CREATE OR REPLACE FUNCTION bridge.delivery_lane(message bridge.messages)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when message.origin = 'ghl'
    then 'out:' || message.location_id || ':' || message.ghl_contact_id
    else 'in:' || message.session_id || ':' || message.contact_id end
$function$
CREATE OR REPLACE FUNCTION bridge.depth(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'waiting', (select count(*) from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting' and lane.state <> 'parked'),
    'parked', (select count(*) from bridge.jobs job join bridge.lanes lane on lane.key = job.lane
      where job.state = 'waiting' and lane.state = 'parked'),
    'dead', (select count(*) from bridge.jobs job where job.state = 'dead'))
$function$
CREATE OR REPLACE FUNCTION bridge.describe_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.discard_message(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.drop_placeholder(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  delete from bridge.messages message
  where message.id = args->>'id' and message.origin <> 'ghl' and message.kind = 'placeholder'
    and message.ghl_message_id is null;
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.edit_session(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  session_id text := args->>'sessionId';
  location text := args->>'locationId';
begin
  perform bridge.lock_default(location);
  perform from bridge.sessions session where session.id = session_id and session.location_id = location;
  if not found then
    return 'false';
  end if;
  if (args->>'isDefault')::boolean then
    update bridge.sessions other set is_default = false, updated_at = now()
    where other.location_id = location and other.id <> session_id and other.is_default;
  end if;
  update bridge.sessions session
  set name = case when args ? 'name' then args->>'name' else session.name end,
    is_default = session.is_default or coalesce((args->>'isDefault')::boolean, false),
    updated_at = now()
  where session.id = session_id;
  perform bridge.announce('session', location || ' ' || session_id);
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.end_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account
  set token_expires_at = now(), updated_at = now()
  where account.id = args->>'installationId' and account.status = 'needs_reconnect'
    and bridge.to_ms(account.token_expires_at) = (args->>'expiresAt')::bigint
    and account.token_expires_at > now();
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.enqueue(lane_key text, lane_location text, job_kind text, job_subject text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.lanes as lane (key, location_id, state, ready_at)
  values (lane_key, lane_location, 'ready', clock_timestamp())
  on conflict (key) do update set state = 'ready', ready_at = excluded.ready_at, touched_at = now()
    where lane.state = 'empty'; -- the row is locked even where this is false
  insert into bridge.jobs (lane, kind, subject) values (lane_key, job_kind, job_subject);
  perform bridge.announce('work', lane_location);
end
$function$
CREATE OR REPLACE FUNCTION bridge.enqueue_ghl_status(location text, ghl_message text)
 RETURNS void
 LANGUAGE sql
AS $function$
  select bridge.enqueue_once(
    'status:' || location || ':' || ghl_message, location, 'ghl_status', location || '/' || ghl_message)
$function$
CREATE OR REPLACE FUNCTION bridge.enqueue_note(location text, message_id text)
 RETURNS void
 LANGUAGE sql
AS $function$
  select bridge.enqueue_once('note:' || location || ':' || message_id, location, 'note', message_id)
$function$
CREATE OR REPLACE FUNCTION bridge.enqueue_once(lane_key text, lane_location text, job_kind text, job_subject text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.lanes (key, location_id, state) values (lane_key, lane_location, 'empty')
  on conflict (key) do update set touched_at = now(); -- makes or locks it
  if exists (
    select from bridge.jobs job where job.lane = lane_key and job.state = 'waiting' and job.token is null
  ) then
    return;
  end if;
  perform bridge.enqueue(lane_key, lane_location, job_kind, job_subject);
end
$function$
CREATE OR REPLACE FUNCTION bridge.ensure_default(location text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.sessions session set is_default = true
  where session.id = (
      select first.id from bridge.sessions first where first.location_id = location
      order by first.phone_number is null, first.seq limit 1)
    and not exists (select from bridge.sessions other where other.location_id = location and other.is_default);
end
$function$
CREATE OR REPLACE FUNCTION bridge.extend(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  lane_key text := bridge.lock_claimed((args->>'jobId')::bigint, (args->>'token')::bigint);
  leased timestamptz := bridge.after_ms((args->>'leaseMs')::bigint);
begin
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job set leased_until = leased where job.id = (args->>'jobId')::bigint;
  update bridge.lanes lane set ready_at = greatest(lane.ready_at, leased), touched_at = now()
  where lane.key = lane_key and lane.state = 'leased';
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.fenced(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  answer jsonb;
begin
  perform from bridge.leases lease
  join bridge.sessions session on session.location_id = lease.location_id
  where session.id = args->>'sessionId' and lease.fence = (args->>'fence')::bigint and lease.until > clock_timestamp()
  for share of lease;
  if not found then
    raise exception 'the lease on this session is lost' using errcode = 'BR001';
  end if;
  execute format('select bridge.%I($1)', args->>'fn') into answer using args->'args';
  return answer;
end
$function$
CREATE OR REPLACE FUNCTION bridge.find_company_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.installation_json(account) from bridge.ghl_accounts account
  where account.location_id is null and account.company_id = args->>'companyId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_composed(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object('id', message.id, 'composed', message.composed)
  from bridge.messages message
  where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
    and message.composed is not null
  limit 1
$function$
CREATE OR REPLACE FUNCTION bridge.find_ghl_status(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.find_group_name(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select to_jsonb(given.name) from bridge.group_names given where given.contact_id = args->>'contactId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_history(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.history_json(import) from bridge.history_imports import where import.session_id = args->>'sessionId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_inbound_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.find_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.installation_json(account) from bridge.ghl_accounts account
  where account.location_id = args->>'locationId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_installation_by_id(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.installation_json(account) from bridge.ghl_accounts account where account.id = args->>'installationId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select to_jsonb(line.entry) from bridge.journal line
  where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId' and line.sender = args->>'sender'
$function$
CREATE OR REPLACE FUNCTION bridge.find_message(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.message_view(message) from bridge.messages message where message.id = args->>'id'
$function$
CREATE OR REPLACE FUNCTION bridge.find_note_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'row', bridge.message_json(message), 'origin', message.origin, 'content', message.content,
    'says', bridge.note_due(message), 'ghlContactId', coalesce(person.ghl_contact_id, message.ghl_contact_id))
  from bridge.messages message
  left join lateral (
    select contact.ghl_contact_id from bridge.contacts contact where contact.id = message.contact_id
  ) person on true
  where message.id = args->>'id' and bridge.note_due(message) is not null
    and coalesce(person.ghl_contact_id, message.ghl_contact_id) is not null
$function$
CREATE OR REPLACE FUNCTION bridge.find_original(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'id', message.id, 'origin', message.origin, 'content', message.content, 'composed', message.composed)
  from bridge.messages message
  left join bridge.contacts contact on contact.id = message.contact_id
  where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
    and (message.chat in (args->>'lid', args->>'pn', args->>'group')
      or contact.lid = args->>'lid' or contact.pn = args->>'pn' or contact.group_jid = args->>'group')
  order by message.seq desc
  limit 1
$function$
CREATE OR REPLACE FUNCTION bridge.find_outbound_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.find_owed_contact(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'contact', bridge.contact_json(contact),
    'owesPhone', contact.owes_phone and contact.pn is not null,
    'owesName', contact.owes_name and contact.push_name is not null)
  from bridge.contacts contact
  where contact.id = args->>'contactId' and contact.ghl_contact_id is not null
    and (contact.owes_phone and contact.pn is not null or contact.owes_name and contact.push_name is not null)
$function$
CREATE OR REPLACE FUNCTION bridge.find_owed_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object('locationId', session.location_id, 'messages', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', owed.id, 'chat', owed.chat, 'author', owed.author, 'waMessageId', owed.wa_message_id)), '[]')
    from (
      select message.* from bridge.messages message
      where message.session_id = session.id and message.read_owed order by message.seq limit 200
    ) owed))
  from bridge.sessions session where session.id = args->>'sessionId'
$function$
CREATE OR REPLACE FUNCTION bridge.find_pairing_link(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object('sessionId', link.session_id, 'expiresAt', bridge.to_ms(link.expires_at))
  from bridge.pairing_links link
  where link.token_hash = args->>'tokenHash' and link.expires_at > clock_timestamp()
$function$
CREATE OR REPLACE FUNCTION bridge.find_quoted(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.find_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  used bridge.service_keys;
begin
  select * into used from bridge.service_keys key
  where key.key_hash = args->>'keyHash' and key.revoked_at is null;
  if not found then
    return null;
  end if;
  if used.last_used_at is null or used.last_used_at < clock_timestamp() - interval '1 minute' then
    update bridge.service_keys key set last_used_at = clock_timestamp() where key.id = used.id;
  end if;
  return bridge.service_key_json(used);
end
$function$
CREATE OR REPLACE FUNCTION bridge.find_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.session_json(session) from bridge.sessions session where session.id = args->>'sessionId'
$function$
CREATE OR REPLACE FUNCTION bridge.finish_migration(version integer, name text, oldest_program integer, functions text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  fn text;
  api_role text;
  table_name text;
begin
  foreach fn in array functions loop
    execute format(
      'create or replace function public.bridge_%1$s(args jsonb) returns jsonb language sql volatile '
      'as $body$ select bridge.%1$s(args) $body$', fn);
    execute format('revoke all on function public.bridge_%s(jsonb) from public', fn);
    foreach api_role in array array['anon', 'authenticated'] loop
      if exists (select from pg_roles r where r.rolname = api_role) then
        execute format('revoke all on function public.bridge_%s(jsonb) from %I', fn, api_role);
      end if;
    end loop;
    if exists (select from pg_roles r where r.rolname = 'service_role') then
      execute format('grant execute on function public.bridge_%s(jsonb) to service_role', fn);
    end if;
  end loop;
  revoke all on all functions in schema bridge from public;
  if exists (select from pg_roles r where r.rolname = 'service_role') then
    grant usage on schema bridge to service_role;
    grant execute on all functions in schema bridge to service_role;
    grant select, insert, update, delete on all tables in schema bridge to service_role;
    grant usage on all sequences in schema bridge to service_role;
  end if;
  for table_name in select t.tablename from pg_tables t where t.schemaname = 'bridge' and not t.rowsecurity loop
    execute format('alter table bridge.%I enable row level security', table_name);
  end loop;
  insert into bridge.schema_versions (version, name, oldest_program)
  values (finish_migration.version, finish_migration.name, finish_migration.oldest_program)
  on conflict do nothing;
end
$function$
CREATE OR REPLACE FUNCTION bridge.finish_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account
  set access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
    token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), scopes = coalesce(args->>'scopes', account.scopes),
    status = 'active', problem = null, refreshed_at = now(), refresh_until = null, updated_at = now()
  where account.id = args->>'installationId' and account.refresh_holder = args->>'holder';
  if not found then
    raise exception 'the right to refresh these tokens was lost' using errcode = 'BR001';
  end if;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.finish_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.sync_status sync
  set state = args->>'state', message = args->>'message', until = null, finished_at = now(), updated_at = now(),
    cursor = case when args->>'state' = 'failed' then sync.cursor end
  where sync.kind = args->>'kind' and sync.scope = args->>'scope' and sync.holder = args->>'holder';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.folded(text text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select regexp_replace(normalize(lower(text), NFD), '[\u0300-\u036f]', '', 'g')
$function$
CREATE OR REPLACE FUNCTION bridge.forget_credentials(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  delete from bridge.session_credentials where session_id = args->>'sessionId';
  delete from bridge.session_keys where session_id = args->>'sessionId';
  delete from bridge.journal where session_id = args->>'sessionId';
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.from_ms(ms bigint)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select to_timestamp(ms / 1000.0)
$function$
CREATE OR REPLACE FUNCTION bridge.give_up(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.history_json(import bridge.history_imports)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.hold(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.messages message
  set state = 'held', error = args->'held', updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin = 'ghl' and message.state in ('queued', 'sending')
    and not message.is_released;
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.in_flight_until(lane_key text)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if not exists (
    select from bridge.lanes lane where lane.key = lane_key and lane.joined_until > clock_timestamp()
  ) then
    return null;
  end if;
  return (
    select max(job.leased_until) from bridge.jobs job
    where job.lane = lane_key and job.state = 'waiting' and job.token is not null
      and job.leased_until > clock_timestamp()
  );
end
$function$
CREATE OR REPLACE FUNCTION bridge.installation_health(account bridge.ghl_accounts)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when bridge.installation_status(account) <> 'active' then bridge.installation_status(account)
    when account.token_expires_at <= now() then 'expired'
    when account.token_expires_at <= now() + interval '2 hours' then 'expiring'
    else 'healthy' end
$function$
CREATE OR REPLACE FUNCTION bridge.installation_json(account bridge.ghl_accounts)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'installationId', account.id,
    'locationId', account.location_id,
    'companyId', account.company_id,
    'userType', account.user_type,
    'status', bridge.installation_status(account),
    'scopes', account.scopes,
    'locationName', account.location_name,
    'timeZone', account.time_zone,
    'companyName', account.company_name,
    'providerType', account.provider_type,
    'providerAddress', account.provider_address,
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
$function$
CREATE OR REPLACE FUNCTION bridge.installation_rank(account bridge.ghl_accounts)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select lower(coalesce(account.location_name, account.location_id, account.company_id)) || chr(1) || account.id
$function$
CREATE OR REPLACE FUNCTION bridge.installation_status(account bridge.ghl_accounts)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when account.deactivated_at is not null and account.status <> 'uninstalled' then 'deactivated'
    else account.status end
$function$
CREATE OR REPLACE FUNCTION bridge.is_found(account bridge.ghl_accounts, search text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select strpos(bridge.folded(concat_ws(' ', account.location_name, account.company_name, account.location_id,
      account.company_id)), bridge.folded(search)) > 0
    or (search ~ '^[+0-9 ().-]+$' and length(regexp_replace(search, '\D', '', 'g')) >= 3 and exists (
      select from bridge.sessions session where session.location_id = account.location_id
        and strpos(session.phone_number, regexp_replace(search, '\D', '', 'g')) > 0))
$function$
CREATE OR REPLACE FUNCTION bridge.is_ours(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select to_jsonb(exists (
    select from bridge.messages message
    where message.session_id = args->>'sessionId' and message.wa_message_id = args->>'waMessageId'
      and message.origin = 'ghl'))
$function$
CREATE OR REPLACE FUNCTION bridge.is_resumable(sync bridge.sync_status, args jsonb)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select sync.state <> 'done' and sync.cursor is not null and sync.params = coalesce(args->>'params', '')
$function$
CREATE OR REPLACE FUNCTION bridge.is_revived(account bridge.ghl_accounts, happened_at timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select account.status = 'uninstalled' and happened_at > coalesce(account.event_at, '-infinity')
$function$
CREATE OR REPLACE FUNCTION bridge.job_json(job bridge.jobs)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'jobId', job.id::text,
    'lane', job.lane,
    'locationId', (select lane.location_id from bridge.lanes lane where lane.key = job.lane),
    'token', job.token::text,
    'kind', job.kind,
    'subject', job.subject,
    'attempts', job.attempts,
    'mayHaveHappened', job.may_have_happened)
$function$
CREATE OR REPLACE FUNCTION bridge.join_contacts(kept_id text, gone_id text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.join_lanes(from_key text, to_key text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.jobs job set lane = to_key where job.lane = from_key;
  update bridge.lanes lane
  set joined_until = (
    select max(job.leased_until) from bridge.jobs job
    where job.lane = to_key and job.state = 'waiting' and job.token is not null)
  where lane.key = to_key;
  perform bridge.rest_lane(to_key, 'ready', clock_timestamp());
  delete from bridge.lanes lane where lane.key = from_key;
end
$function$
CREATE OR REPLACE FUNCTION bridge.learn_addresses(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.lease_head(lane_key text, lease_ms bigint, claimer text)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  head_id bigint;
  head bridge.jobs;
begin
  select job.id into head_id from bridge.jobs job
  where job.lane = lane_key and job.state = 'waiting'
  order by job.id limit 1;
  if not found then
    update bridge.lanes lane set state = 'empty', ready_at = null, touched_at = now() where lane.key = lane_key;
    return null;
  end if;
  update bridge.jobs job
  set attempts = job.attempts + 1,
    may_have_happened = job.may_have_happened or job.token is not null,
    token = nextval('bridge.claim_tokens'),
    claimed_by = claimer,
    leased_until = bridge.after_ms(lease_ms)
  where job.id = head_id
  returning * into head;
  update bridge.lanes lane set state = 'leased', ready_at = head.leased_until, touched_at = now()
  where lane.key = lane_key;
  return bridge.job_json(head);
end
$function$
CREATE OR REPLACE FUNCTION bridge.ledger(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.link_ghl(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.list_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'entries', coalesce(jsonb_agg(jsonb_build_object(
      'id', page.id::text,
      'at', bridge.to_ms(page.at),
      'callerKind', page.caller_kind,
      'callerId', page.caller_id,
      'callerName', (select key.name from bridge.service_keys key where key.id = page.caller_id),
      'action', page.action,
      'locationId', page.location_id,
      'locationName', (select max(account.location_name) from bridge.ghl_accounts account
        where account.location_id = page.location_id),
      'target', page.target,
      'targetName', coalesce(
        (select key.name from bridge.service_keys key where key.id = page.target),
        (select coalesce(session.name, session.phone_number) from bridge.sessions session where session.id = page.target),
        (select coalesce(account.location_name, account.company_name) from bridge.ghl_accounts account
          where account.id = page.target)),
      'outcome', page.outcome) order by page.id desc), '[]'),
    'lastId', min(page.id)::text)
  from (
    select * from bridge.audit entry
    where (args->>'locationId' is null or entry.location_id = args->>'locationId')
      and (args->>'callerId' is null or entry.caller_id = args->>'callerId')
      and (args->>'before' is null or entry.id < (args->>'before')::bigint)
    order by entry.id desc limit (args->>'limit')::int
  ) page
$function$
CREATE OR REPLACE FUNCTION bridge.list_call_logs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'callId', page.call_id,
    'agentId', page.agent_id,
    'ghlContactId', page.ghl_contact_id,
    'durationSec', page.duration_sec,
    'isTrial', page.is_trial,
    'calledAt', bridge.to_ms(page.called_at),
    'details', page.details) order by page.called_at desc, page.call_id desc), '[]')
  from (
    select * from bridge.call_logs call
    where call.location_id = args->>'locationId'
      and (args->>'from' is null or call.called_at >= bridge.from_ms((args->>'from')::bigint))
      and (args->>'to' is null or call.called_at <= bridge.from_ms((args->>'to')::bigint))
      and (args->>'beforeAt' is null
        or (call.called_at, call.call_id) < (bridge.from_ms((args->>'beforeAt')::bigint), args->>'beforeId'))
    order by call.called_at desc, call.call_id desc limit (args->>'limit')::int
  ) page
$function$
CREATE OR REPLACE FUNCTION bridge.list_evidence(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'piece', known.piece,
    'setting', known.setting,
    'goodAt', bridge.to_ms(known.good_at),
    'badAt', bridge.to_ms(known.bad_at),
    'reason', known.reason) order by known.piece), '[]')
  from bridge.evidence known
$function$
CREATE OR REPLACE FUNCTION bridge.list_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(bridge.installation_json(account) order by account.installed_at, account.id), '[]')
  from bridge.ghl_accounts account
$function$
CREATE OR REPLACE FUNCTION bridge.list_messages(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.list_service_keys(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(bridge.service_key_json(key) order by key.created_at, key.id), '[]')
  from bridge.service_keys key where key.revoked_at is null
$function$
CREATE OR REPLACE FUNCTION bridge.list_sessions(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(bridge.session_json(session) order by session.seq), '[]')
  from bridge.sessions session
  where args->>'locationId' is null or session.location_id = args->>'locationId'
$function$
CREATE OR REPLACE FUNCTION bridge.list_sessions_of(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(bridge.session_json(session) order by session.seq), '[]')
  from bridge.sessions session
  where session.location_id in (select jsonb_array_elements_text(args->'locationIds'))
$function$
CREATE OR REPLACE FUNCTION bridge.list_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(listed.json order by listed.updated_at desc), '[]')
  from (
    select bridge.sync_json(sync) as json, sync.updated_at from bridge.sync_status sync
    where (args->>'kind' is null or sync.kind = args->>'kind')
      and (args->>'scope' is null or sync.scope = args->>'scope')
    order by sync.updated_at desc limit 200
  ) listed
$function$
CREATE OR REPLACE FUNCTION bridge.list_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.load_credentials(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select to_jsonb(value) from bridge.session_credentials where session_id = args->>'sessionId'
$function$
CREATE OR REPLACE FUNCTION bridge.locations_with_work()
 RETURNS TABLE(location_id text)
 LANGUAGE sql
 STABLE
AS $function$
  select session.location_id from bridge.sessions session
  union select lane.location_id from bridge.lanes lane where lane.state <> 'empty'
  union select 'bridge-chores'
$function$
CREATE OR REPLACE FUNCTION bridge.lock_claimed(job_id bigint, job_token bigint)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  lane_key text;
  lane_now text;
begin
  loop
    select job.lane into lane_key from bridge.jobs job where job.id = job_id and job.token = job_token;
    if not found then
      return null;
    end if;
    perform from bridge.lanes lane where lane.key = lane_key for update;
    select job.lane into lane_now from bridge.jobs job where job.id = job_id and job.token = job_token;
    if not found then
      return null;
    elsif lane_now = lane_key then
      return lane_key;
    end if;
  end loop;
end
$function$
CREATE OR REPLACE FUNCTION bridge.lock_default(location text)
 RETURNS void
 LANGUAGE sql
AS $function$
  select pg_advisory_xact_lock(hashtextextended('bridge default ' || location, 0))
$function$
CREATE OR REPLACE FUNCTION bridge.lock_waiting(message_id text)
 RETURNS SETOF bridge.messages
 LANGUAGE plpgsql
AS $function$
declare
  waiting bridge.messages;
begin
  select * into waiting from bridge.messages message where message.id = message_id for update;
  -- A statement of its own: the one that locks may have a snapshot from before the job's end.
  return query select waiting.* where waiting.state in ('failed', 'held') and not exists (
    select from bridge.jobs job
    where job.subject = message_id and job.kind in ('inbound', 'outbound') and job.state = 'waiting');
end
$function$
CREATE OR REPLACE FUNCTION bridge.message_contact_json(message bridge.messages)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(
    (select jsonb_build_object(
        'name', coalesce(given.name, contact.push_name), 'pn', contact.pn, 'isGroup', contact.group_jid is not null)
      from bridge.contacts contact left join bridge.group_names given on given.contact_id = contact.id
      where contact.id = message.contact_id),
    case when message.origin = 'ghl' then jsonb_build_object('sealed', message.content) end)
$function$
CREATE OR REPLACE FUNCTION bridge.message_json(message bridge.messages)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.message_queue_json(message bridge.messages)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.message_view(message bridge.messages)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.message_json(message) || jsonb_build_object(
    'contact', bridge.message_contact_json(message), 'queue', bridge.message_queue_json(message),
    'writtenAt', bridge.to_ms(coalesce(message.written_at, message.sent_at)),
    'discardedAt', bridge.to_ms(message.discarded_at))
$function$
CREATE OR REPLACE FUNCTION bridge.note_attempt(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account
  set problem = nullif(args->'problem', 'null'), updated_at = now(),
    checked_at = case when (args->>'isCheck')::boolean and not args ? 'problem' then now() else account.checked_at end
  where account.id = args->>'installationId' and account.status <> 'uninstalled';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.note_due(message bridge.messages)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case
    when message.is_history then null
    when message.state = 'failed' and message.noted is distinct from 'died' then 'died'
    when message.state in ('sent', 'delivered', 'read') and message.noted = 'died' then 'recovered' end
$function$
CREATE OR REPLACE FUNCTION bridge.note_evidence(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.evidence as known (piece, setting, good_at, bad_at, reason)
  values (args->>'piece', args->>'setting',
    case when args->>'reason' is null then clock_timestamp() end,
    case when args->>'reason' is not null then clock_timestamp() end, args->>'reason')
  on conflict (piece) do update set
    setting = excluded.setting,
    good_at = coalesce(excluded.good_at, case when known.setting = excluded.setting then known.good_at end),
    bad_at = coalesce(excluded.bad_at, case when known.setting = excluded.setting then known.bad_at end),
    reason = coalesce(excluded.reason, case when known.setting = excluded.setting then known.reason end);
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.note_install(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  gone_at timestamptz := (
    select agency.event_at from bridge.ghl_accounts agency
    where args->>'locationId' is not null and agency.location_id is null and agency.company_id = args->>'companyId'
      and agency.status = 'uninstalled' and agency.event_at >= happened_at);
  noted bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts
    (location_id, company_id, user_type, status, scopes, token_expires_at, event_at, uninstalled_at)
  values (args->>'locationId', args->>'companyId', case when args->>'locationId' is null then 'Company' else 'Location' end,
    case when gone_at is null then 'pending' else 'uninstalled' end, '', now(), coalesce(gone_at, happened_at),
    case when gone_at is not null then now() end)
  on conflict do nothing;
  update bridge.ghl_accounts account
  set company_id = coalesce(args->>'companyId', account.company_id),
    company_name = coalesce(args->>'companyName', account.company_name),
    user_id = coalesce(args->>'userId', account.user_id),
    white_label_domain = coalesce(args->>'whiteLabelDomain', account.white_label_domain),
    version_id = case when happened_at >= coalesce(account.version_at, '-infinity')
      then coalesce(args->>'versionId', account.version_id) else account.version_id end,
    version_at = case when args->>'versionId' is not null then greatest(account.version_at, happened_at)
      else account.version_at end,
    status = case when bridge.is_revived(account, happened_at) then 'pending' else account.status end,
    installed_at = case when bridge.is_revived(account, happened_at) then now() else account.installed_at end,
    uninstalled_at = case when bridge.is_revived(account, happened_at) then null else account.uninstalled_at end,
    event_at = greatest(account.event_at, happened_at),
    updated_at = now()
  where case when args->>'locationId' is null then account.location_id is null and account.company_id = args->>'companyId'
    else account.location_id = args->>'locationId' end
  returning * into noted;
  perform bridge.announce('installation', coalesce(noted.location_id, noted.company_id));
  return bridge.installation_json(noted);
end
$function$
CREATE OR REPLACE FUNCTION bridge.note_progress()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.acked_at := coalesce(new.acked_at, clock_timestamp());
  if new.state <> 'sent' then
    new.arrived_at := coalesce(new.arrived_at, clock_timestamp());
  end if;
  return new;
end
$function$
CREATE OR REPLACE FUNCTION bridge.note_version(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
begin
  update bridge.ghl_accounts account
  set version_id = args->>'versionId', version_at = happened_at, updated_at = now()
  where case when args->>'locationId' is null then account.location_id is null and account.company_id = args->>'companyId'
      else account.location_id = args->>'locationId' end
    and happened_at >= coalesce(account.version_at, '-infinity');
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.numbers_state(location text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when count(*) = 0 then 'none'
    when bool_or(session.status in ('replaced', 'banned', 'outdated')
      or (session.status = 'restricted'
        and coalesce((session.problem->>'until')::timestamptz <= clock_timestamp(), true))) then 'person'
    when bool_or(session.status in ('logged_out', 'qr', 'pairing')) then 'scan'
    when bool_or(session.status <> 'ready') then 'reconnecting'
    else 'ready' end
  from bridge.sessions session where session.location_id = location
$function$
CREATE OR REPLACE FUNCTION bridge.owe_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.page_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  with wanted as (
    select account, health,
      (case when args->>'order' = 'trouble' then bridge.trouble_rank(account, health) else '' end
        || bridge.installation_rank(account)) collate "C" as rank
    from bridge.ghl_accounts account, lateral (select bridge.installation_health(account) as health) its
    where (args->>'locationId' is null or account.location_id = args->>'locationId')
      and (args->>'userType' is null or account.user_type = args->>'userType')
      and (args->>'companyId' is null or account.company_id = args->>'companyId')
      and (args->>'search' is null or bridge.is_found(account, args->>'search'))
      and (args->>'numbers' is null or bridge.numbers_state(account.location_id) = args->>'numbers'
        or (args->>'numbers' = 'trouble' and bridge.numbers_state(account.location_id) not in ('ready', 'none')))
      and (args->>'health' is null or health = args->>'health')
  ), page as (
    select * from wanted
    where args->>'cursor' is null or wanted.rank > (args->>'cursor') collate "C"
    order by wanted.rank
    limit (args->>'limit')::int
  )
  select jsonb_build_object(
    'rows', (select coalesce(jsonb_agg(
      bridge.installation_json(page.account) || jsonb_build_object(
        'health', page.health,
        'dead', (select count(*) from bridge.messages message where message.location_id = (page.account).location_id
          and message.state = 'failed' and message.discarded_at is null),
        'held', (select count(*) from bridge.messages message where message.location_id = (page.account).location_id
          and message.state = 'held' and message.discarded_at is null)) order by page.rank), '[]') from page),
    'lastRank', (select max(page.rank) from page),
    'total', (select count(*) from wanted))
$function$
CREATE OR REPLACE FUNCTION bridge.page_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  with wanted as (
    select sync, bridge.sync_rank(sync) collate "C" as rank from bridge.sync_status sync
    where (args->>'kind' is null or sync.kind = args->>'kind')
      and (args->>'scope' is null or sync.scope = args->>'scope')
      and (args->>'state' is null or bridge.sync_state(sync) = args->>'state')
  ), page as (
    select * from wanted
    where args->>'cursor' is null or wanted.rank < (args->>'cursor') collate "C"
    order by wanted.rank desc limit (args->>'limit')::int
  )
  select jsonb_build_object(
    'syncs', (select coalesce(jsonb_agg(bridge.sync_json(page.sync) order by page.rank desc), '[]') from page),
    'lastRank', (select min(page.rank) from page),
    'total', (select count(*) from wanted))
$function$
CREATE OR REPLACE FUNCTION bridge.park(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  job_token bigint := (args->>'token')::bigint;
  lane_key text;
  location text;
  last_wake bigint;
begin
  select lane.location_id into location
  from bridge.jobs claimed join bridge.lanes lane on lane.key = claimed.lane
  where claimed.id = (args->>'jobId')::bigint;
  insert into bridge.location_wakes (location_id, woken_token) select location, 0 where location is not null
  on conflict do nothing;
  select wakes.woken_token into last_wake from bridge.location_wakes wakes where wakes.location_id = location for share;
  lane_key := bridge.lock_claimed((args->>'jobId')::bigint, job_token);
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs claimed
  set token = null, attempts = claimed.attempts - 1, error_code = args->>'code', error_message = args->>'message'
  where claimed.id = (args->>'jobId')::bigint;
  if last_wake > job_token then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  else
    perform bridge.rest_lane(lane_key, 'parked', bridge.after_ms((args->>'parkMs')::bigint));
  end if;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.pass_default(location text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.sessions idle set is_default = false, updated_at = now()
  where idle.location_id = location and idle.is_default and idle.phone_number is null
    and exists (
      select from bridge.sessions paired where paired.location_id = location and paired.phone_number is not null);
  perform bridge.ensure_default(location);
end
$function$
CREATE OR REPLACE FUNCTION bridge.prune(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.prune_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  gone int;
begin
  delete from bridge.audit entry where entry.id = any (array(
    select old.id from bridge.audit old
    where old.at < bridge.after_ms(-(args->>'keptMs')::bigint) order by old.at limit (args->>'batch')::int));
  get diagnostics gone = row_count;
  return to_jsonb(gone);
end
$function$
CREATE OR REPLACE FUNCTION bridge.prune_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  delete from bridge.webhook_events event
  where event.state <> 'received' and event.received_at < clock_timestamp() - case when event.state = 'ignored'
    then (args->>'ignoredMs')::bigint else (args->>'keptMs')::bigint end * interval '1 millisecond';
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.read_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_object(
    'waMessageId', line.wa_message_id, 'sender', line.sender, 'entry', line.entry) order by line.seq), '[]')
  from bridge.journal line
  where line.session_id = args->>'sessionId' and line.settled_at is null
$function$
CREATE OR REPLACE FUNCTION bridge.read_keys(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(jsonb_build_array(key.id, key.value)), '[]')
  from bridge.session_keys key
  where key.session_id = args->>'sessionId' and key.kind = args->>'kind'
    and key.id in (select jsonb_array_elements_text(args->'ids'))
$function$
CREATE OR REPLACE FUNCTION bridge.read_settings(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.settings_json(settings) from bridge.location_settings settings
  where settings.location_id = args->>'locationId'
$function$
CREATE OR REPLACE FUNCTION bridge.read_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select bridge.tokens_json(account) from bridge.ghl_accounts account
  where account.id = args->>'installationId' and account.access_token is not null
$function$
CREATE OR REPLACE FUNCTION bridge.record_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.audit (caller_kind, caller_id, action, location_id, target, outcome)
  values (args->>'callerKind', args->>'callerId', args->>'action', args->>'locationId', args->>'target', args->>'outcome');
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.record_filed(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.record_group_name(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.group_names (contact_id, name) values (args->>'contactId', args->>'name')
  on conflict (contact_id) do update set name = excluded.name;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.record_note(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  told bridge.messages;
begin
  update bridge.messages message set noted = args->>'said' where message.id = args->>'id' returning * into told;
  if bridge.note_due(told) is not null then
    perform bridge.enqueue_note(told.location_id, told.id);
  end if;
  return to_jsonb(told.id is not null);
end
$function$
CREATE OR REPLACE FUNCTION bridge.record_paid(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.contacts contact
  set owes_phone = contact.owes_phone and not (args->>'phone')::boolean,
    owes_name = contact.owes_name and not (args->>'name')::boolean,
    phone_holder = coalesce(args->>'phoneHolder', contact.phone_holder),
    updated_at = clock_timestamp()
  where contact.id = args->>'contactId' and contact.ghl_contact_id = args->>'ghlContactId';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.record_told_failed(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.messages message set ghl_told_failed = true
  where message.location_id = args->>'locationId' and message.ghl_message_id = args->>'ghlMessageId'
    and message.origin = 'ghl';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.record_webhook_event(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  insert into bridge.webhook_events (webhook_id, type, location_id, company_id, payload, state, reason, settled_at)
  values (args->>'webhookId', args->>'type', args->>'locationId', args->>'companyId', args->>'payload',
    case when args->>'ignored' is null then 'received' else 'ignored' end, args->>'ignored',
    case when args->>'ignored' is not null then now() end)
  on conflict do nothing;
  return to_jsonb(case when found then 'recorded' else 'duplicate' end);
end
$function$
CREATE OR REPLACE FUNCTION bridge.release_history(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.release_leases(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.leases lease set node = null, until = clock_timestamp()
  where lease.node = args->>'node'
    and (not args ? 'locations' or lease.location_id in (select jsonb_array_elements_text(args->'locations')));
  if not args ? 'locations' then
    delete from bridge.nodes node where node.id = args->>'node';
  end if;
  perform bridge.announce('leases', 'free');
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.remember_provider_type(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account set provider_type = args->>'providerType', updated_at = now()
  where account.location_id = args->>'locationId';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.remember_provider_way(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.ghl_accounts account
  set provider_type = args->>'type', provider_address = args->>'address', updated_at = now()
  where account.location_id = args->>'locationId';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.remove_session(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  location text;
begin
  select session.location_id into location from bridge.sessions session where session.id = args->>'sessionId';
  if location is null then
    return 'false';
  end if;
  perform bridge.lock_default(location);
  delete from bridge.sessions session where session.id = args->>'sessionId';
  if found then
    perform bridge.ensure_default(location);
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.removed_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(account.location_id), '[]')
  from bridge.ghl_accounts account
  where bridge.installation_status(account) in ('uninstalled', 'deactivated')
    and account.location_id in (select jsonb_array_elements_text(args->'locations'))
$function$
CREATE OR REPLACE FUNCTION bridge.reserve(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.messages message
  set session_id = args->>'sessionId', chat = args->>'chat', composed = args->>'composed', state = 'sending',
    contact_id = coalesce(message.contact_id,
      (bridge.contact_of_ghl(message.location_id, message.ghl_contact_id)).id),
    updated_at = clock_timestamp()
  where message.id = args->>'id' and message.origin = 'ghl' and message.state in ('queued', 'sending');
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.rest_lane(lane_key text, rest_state text, rest_until timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  busy_until timestamptz := bridge.in_flight_until(lane_key);
begin
  if not exists (select from bridge.jobs job where job.lane = lane_key and job.state = 'waiting') then
    update bridge.lanes lane set state = 'empty', ready_at = null, touched_at = now() where lane.key = lane_key;
  else
    update bridge.lanes lane
    set state = case when busy_until is null then rest_state else 'leased' end,
      ready_at = greatest(rest_until, busy_until), -- null is passed over
      touched_at = now()
    where lane.key = lane_key;
  end if;
end
$function$
CREATE OR REPLACE FUNCTION bridge.retry(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  job_token bigint := (args->>'token')::bigint;
  lane_key text;
  location text;
  cured bigint;
begin
  -- The wake row is locked first, in the order of bridge.wake, so that one of the two sees the other.
  select lane.location_id into location
  from bridge.jobs claimed join bridge.lanes lane on lane.key = claimed.lane
  where claimed.id = (args->>'jobId')::bigint;
  select (wakes.cures->>bridge.ailment(args->>'code'))::bigint into cured
  from bridge.location_wakes wakes where wakes.location_id = location for share;
  lane_key := bridge.lock_claimed((args->>'jobId')::bigint, job_token);
  if lane_key is null then
    return 'false';
  end if;
  update bridge.jobs job
  set token = null, may_have_happened = job.may_have_happened or (args->>'mayHaveHappened')::boolean,
    error_code = args->>'code', error_message = args->>'message'
  where job.id = (args->>'jobId')::bigint;
  if cured > job_token then
    perform bridge.rest_lane(lane_key, 'ready', clock_timestamp());
  else
    perform bridge.rest_lane(lane_key, 'backoff', bridge.after_ms((args->>'retryInMs')::bigint));
  end if;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.retry_message(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.revoke_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.service_keys key set revoked_at = coalesce(key.revoked_at, clock_timestamp())
  where key.id = args->>'id';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.save_call_logs(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  fresh int;
begin
  with saved as (
    insert into bridge.call_logs as known
      (location_id, call_id, agent_id, ghl_contact_id, duration_sec, is_trial, called_at, details)
    select args->>'locationId', call->>'callId', call->>'agentId', call->>'ghlContactId', (call->>'durationSec')::int,
      (call->>'isTrial')::boolean, bridge.from_ms((call->>'calledAt')::bigint), call->>'details'
    from jsonb_array_elements(args->'calls') call
    order by call->>'callId'
    on conflict (location_id, call_id) do update
    set agent_id = excluded.agent_id, ghl_contact_id = excluded.ghl_contact_id, duration_sec = excluded.duration_sec,
      is_trial = excluded.is_trial, called_at = excluded.called_at, details = excluded.details, synced_at = now()
    returning (xmax = 0) as is_fresh
  )
  select count(*) filter (where is_fresh) into fresh from saved;
  return to_jsonb(fresh);
end
$function$
CREATE OR REPLACE FUNCTION bridge.save_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  saved bridge.ghl_accounts;
begin
  insert into bridge.ghl_accounts as account
    (location_id, company_id, user_type, status, scopes, access_token, refresh_token, token_expires_at,
     user_id, version_id, is_bulk, location_name, refreshed_at)
  values
    (args->>'locationId', args->>'companyId', args->>'userType', 'active', args->>'scopes',
     args->>'accessToken', args->>'refreshToken', bridge.from_ms((args->>'expiresAt')::bigint),
     args->>'userId', args->>'versionId', coalesce((args->>'isBulk')::boolean, false), args->>'locationName', now())
  on conflict do nothing
  returning * into saved;
  if not found then
    if args->>'askedAt' is null and args->>'locationId' is null then
      perform bridge.activate_installation(jsonb_build_object('installationId', account.id)) from bridge.ghl_accounts account
      where account.location_id is null and account.company_id = args->>'companyId';
    end if;
    update bridge.ghl_accounts account
    set company_id = coalesce(args->>'companyId', account.company_id), user_type = args->>'userType', status = 'active',
      scopes = args->>'scopes', access_token = args->>'accessToken', refresh_token = args->>'refreshToken',
      token_expires_at = bridge.from_ms((args->>'expiresAt')::bigint), refresh_holder = null, refresh_until = null,
      user_id = coalesce(args->>'userId', account.user_id), version_id = coalesce(args->>'versionId', account.version_id),
      is_bulk = coalesce((args->>'isBulk')::boolean, account.is_bulk),
      location_name = coalesce(args->>'locationName', account.location_name),
      problem = null, refreshed_at = now(), uninstalled_at = null, deactivated_at = null,
      -- What agents wrote to an app that was not there is not sent by the next one; a mere reconnect starts nothing anew.
      installed_at = case when account.status = 'uninstalled' then now() else account.installed_at end,
      updated_at = now()
    where case when args->>'locationId' is null
        then account.location_id is null and account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and (args->>'askedAt' is null or account.deactivated_at is null and (account.uninstalled_at is null
        or account.uninstalled_at <= bridge.from_ms((args->>'askedAt')::bigint)))
    returning * into saved;
  end if;
  if saved.id is null then
    return null;
  end if;
  perform bridge.announce('installation', coalesce(saved.location_id, saved.company_id));
  return bridge.installation_json(saved);
end
$function$
CREATE OR REPLACE FUNCTION bridge.schema_version(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object('version', coalesce(max(version), 0), 'oldestProgram', coalesce(max(oldest_program), 0))
  from bridge.schema_versions
$function$
CREATE OR REPLACE FUNCTION bridge.service_key_json(key bridge.service_keys)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'id', key.id,
    'name', key.name,
    'locationId', key.location_id,
    'scopes', to_jsonb(key.scopes),
    'createdAt', bridge.to_ms(key.created_at),
    'lastUsedAt', bridge.to_ms(key.last_used_at))
$function$
CREATE OR REPLACE FUNCTION bridge.session_json(session bridge.sessions)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'sessionId', session.id,
    'locationId', session.location_id,
    'status', session.status,
    'phoneNumber', session.phone_number,
    'lid', session.lid,
    'name', session.name,
    'isDefault', session.is_default,
    'problem', session.problem,
    'notice', session.notice,
    'nextAttemptAt', bridge.to_ms(session.next_attempt_at),
    'expectedPhone', session.expected_phone,
    'live', session.live,
    'wish', session.wish,
    'lastSeenAt', bridge.to_ms(session.last_seen_at),
    'pairedAt', bridge.to_ms(session.paired_at),
    'createdAt', bridge.to_ms(session.created_at))
$function$
CREATE OR REPLACE FUNCTION bridge.settings_json(settings bridge.location_settings)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_strip_nulls(jsonb_build_object(
    'groups', settings.groups,
    'label', settings.label,
    'markRead', settings.mark_read,
    'holdAfterMinutes', settings.hold_after_minutes,
    'pinnedSessionId', settings.pinned_session_id,
    'historyDays', settings.history_days))
$function$
CREATE OR REPLACE FUNCTION bridge.settle_contact(location text, person_lid text, person_pn text, person_group text)
 RETURNS bridge.contacts
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.settle_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.journal line set settled_at = now()
  where line.session_id = args->>'sessionId' and line.wa_message_id = args->>'waMessageId'
    and line.sender = args->>'sender' and line.settled_at is null;
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.settle_person(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.settle_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.messages message
  set read_owed = false,
    state = case when (args->>'isRead')::boolean and message.state = 'delivered' then 'read' else message.state end
  where message.id in (select jsonb_array_elements_text(args->'ids')) and message.read_owed;
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.settle_waiting(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  waiting record;
  answer jsonb;
  seen int := 0;
  done int := 0;
  last_seq bigint;
begin
  for waiting in
    select message.id, message.seq from bridge.waiting_messages(args) message
    where message.seq > coalesce((args->>'after')::bigint, 0)
      and (args->>'upTo' is null or message.seq <= (args->>'upTo')::bigint)
    order by message.seq limit (args->>'limit')::int
  loop
    answer := case args->>'deed'
      when 'retry' then bridge.retry_message(jsonb_build_object('id', waiting.id))
      else bridge.discard_message(jsonb_build_object('id', waiting.id, 'discarded', args->'discarded')) end;
    seen := seen + 1;
    done := done + (answer->>'wasWaiting')::boolean::int;
    last_seq := waiting.seq;
  end loop;
  return jsonb_build_object('done', done, 'lastSeq', case when seen = (args->>'limit')::int then last_seq::text end);
end
$function$
CREATE OR REPLACE FUNCTION bridge.settle_webhook_event(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.webhook_events event
  set state = args->>'state', reason = args->>'reason',
    next_at = case when args->>'state' = 'received' then bridge.after_ms((args->>'retryInMs')::bigint) else event.next_at end,
    settled_at = case when args->>'state' = 'received' then null else now() end
  where event.webhook_id = args->>'webhookId' and event.state = 'received';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.split_caption(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.split_contacts(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION bridge.state_rank(state text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select array_position(array['queued', 'sending', 'sent', 'delivered', 'read'], state)
$function$
CREATE OR REPLACE FUNCTION bridge.stats(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
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
  ), told as (
    select true as is_all, null as session_id, origin, sent_after, delivered_after from chosen
    union all
    select false, session_id, origin, sent_after, delivered_after from chosen
    where session_id is not null and (args->>'locationId' is not null or args->>'sessionId' is not null)
  ), timed as (
    select is_all, session_id,
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
    from told group by is_all, session_id
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
    'timings', coalesce(
      (select jsonb_build_object('toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone) from timed where is_all),
      jsonb_build_object('toGhl', null, 'toWhatsApp', null, 'toPhone', null)),
    'numbers', (select coalesce(jsonb_agg(jsonb_build_object(
      'sessionId', session_id, 'inbound', came, 'outbound', went,
      'toGhl', to_ghl, 'toWhatsApp', to_whatsapp, 'toPhone', to_phone) order by session_id), '[]')
      from timed where not is_all))
  into answer from chosen;
  return answer;
end
$function$
CREATE OR REPLACE FUNCTION bridge.sync_json(sync bridge.sync_status)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'kind', sync.kind,
    'scope', sync.scope,
    'name', coalesce(
      (select max(account.location_name) from bridge.ghl_accounts account where account.location_id = sync.scope),
      (select max(account.company_name) from bridge.ghl_accounts account
        where account.company_id = sync.scope and account.user_type = 'Company')),
    'state', bridge.sync_state(sync),
    'params', sync.params,
    'cursor', sync.cursor,
    'total', sync.total,
    'done', sync.done,
    'failed', sync.failed,
    'skipped', sync.skipped,
    'message', sync.message,
    'startedAt', bridge.to_ms(sync.started_at),
    'finishedAt', bridge.to_ms(sync.finished_at))
$function$
CREATE OR REPLACE FUNCTION bridge.sync_rank(sync bridge.sync_status)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select lpad((extract(epoch from sync.updated_at) * 1000000)::bigint::text, 20, '0') || ' ' || sync.kind || ' ' || sync.scope
$function$
CREATE OR REPLACE FUNCTION bridge.sync_state(sync bridge.sync_status)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case when sync.state = 'running' and sync.until <= clock_timestamp() then 'interrupted' else sync.state end
$function$
CREATE OR REPLACE FUNCTION bridge.take_lease(location text, taker text, ttl_ms bigint, is_alone boolean)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  drawn bigint;
begin
  insert into bridge.leases as lease (location_id, node, fence, until)
  values (location, taker, nextval('bridge.fences'), bridge.after_ms(ttl_ms))
  on conflict (location_id) do update set node = taker, fence = nextval('bridge.fences'), until = excluded.until
    where is_alone or lease.until <= clock_timestamp() or lease.node is null
  returning lease.fence into drawn;
  if drawn is not null then
    perform from bridge.lanes lane
    where lane.location_id = location and lane.state = 'leased' order by lane.key for update;
    update bridge.lanes lane set state = 'ready', ready_at = clock_timestamp(), touched_at = now()
    where lane.location_id = location and lane.state = 'leased';
    update bridge.jobs job set leased_until = clock_timestamp()
    from bridge.lanes lane
    where lane.key = job.lane and lane.location_id = location and job.leased_until > clock_timestamp();
  end if;
  return drawn;
end
$function$
CREATE OR REPLACE FUNCTION bridge.take_oauth_state(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  is_valid boolean;
begin
  delete from bridge.oauth_states state where state.state_hash = args->>'stateHash'
  returning state.expires_at > clock_timestamp() into is_valid;
  return to_jsonb(coalesce(is_valid, false));
end
$function$
CREATE OR REPLACE FUNCTION bridge.take_wish(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.sessions session set wish = null
  where session.id = args->>'sessionId' and session.wish->>'id' = args->>'wishId';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.tend_leases(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  me text := args->>'node';
  ttl_ms bigint := (args->>'ttlMs')::bigint;
  is_alone boolean := coalesce((args->>'isAlone')::boolean, false);
  node_count int;
  location_count int;
  share int;
  held_count int;
  location text;
begin
  insert into bridge.nodes (id, until) values (me, bridge.after_ms(ttl_ms))
  on conflict (id) do update set until = excluded.until;
  delete from bridge.nodes node where node.until < clock_timestamp() - interval '1 hour';
  update bridge.leases lease set until = bridge.after_ms(ttl_ms)
  where lease.node = me and lease.until > clock_timestamp();
  select count(*) into node_count from bridge.nodes node where node.until > clock_timestamp();
  select count(*) into location_count from bridge.locations_with_work() located;
  share := case when is_alone then location_count else ceil(location_count::numeric / node_count) end;
  select count(*) into held_count from bridge.leases lease where lease.node = me and lease.until > clock_timestamp();
  for location in
    select wanted.location_id from bridge.locations_with_work() wanted
    left join bridge.leases lease on lease.location_id = wanted.location_id
    where lease.location_id is null or lease.node is null or lease.until <= clock_timestamp()
      or (is_alone and lease.node <> me)
    order by wanted.location_id
    limit greatest(share - held_count, 0)
  loop
    perform bridge.take_lease(location, me, ttl_ms, is_alone);
  end loop;
  return jsonb_build_object(
    'held', (
      select coalesce(jsonb_agg(jsonb_build_object('locationId', lease.location_id, 'fence', lease.fence::text)
        order by lease.location_id), '[]')
      from bridge.leases lease where lease.node = me and lease.until > clock_timestamp()),
    'excess', greatest(held_count - share, 0));
end
$function$
CREATE OR REPLACE FUNCTION bridge.timing_json(counted bigint, points double precision[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case when counted > 0
    then jsonb_build_object('count', counted, 'p50Ms', round(points[1] * 1000), 'p95Ms', round(points[2] * 1000)) end
$function$
CREATE OR REPLACE FUNCTION bridge.to_ms(at timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select floor(extract(epoch from at) * 1000)::bigint
$function$
CREATE OR REPLACE FUNCTION bridge.tokens_json(account bridge.ghl_accounts)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select jsonb_build_object(
    'locationId', account.location_id,
    'companyId', account.company_id,
    'accessToken', account.access_token,
    'refreshToken', account.refresh_token,
    'expiresAt', bridge.to_ms(account.token_expires_at))
$function$
CREATE OR REPLACE FUNCTION bridge.trouble_rank(account bridge.ghl_accounts, health text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select case
    when health in ('expired', 'pending', 'needs_reconnect') then '0'
    when health in ('uninstalled', 'deactivated') then '2'
    else (select case
      when numbers.state in ('person', 'scan') then '0'
      when numbers.state = 'reconnecting' or exists (select from bridge.messages message
        where message.location_id = account.location_id and message.state in ('failed', 'held')
          and message.discarded_at is null) then '1'
      else '2' end
      from (select bridge.numbers_state(account.location_id) as state) numbers) end
$function$
CREATE OR REPLACE FUNCTION bridge.unfinished_refreshes(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(bridge.installation_json(account) order by account.refresh_until desc), '[]')
  from (
    select * from bridge.ghl_accounts unfinished
    where unfinished.refresh_until <= clock_timestamp() and unfinished.access_token is not null
      and unfinished.status in ('active', 'needs_reconnect')
    order by unfinished.refresh_until desc limit (args->>'limit')::int
  ) chosen
  join bridge.ghl_accounts account on account.id = chosen.id
$function$
CREATE OR REPLACE FUNCTION bridge.uninstall(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  happened_at timestamptz := coalesce(bridge.from_ms((args->>'eventAt')::bigint), clock_timestamp());
  gone bridge.ghl_accounts;
  locations jsonb := '[]';
begin
  insert into bridge.ghl_accounts (location_id, company_id, user_type, status, scopes, token_expires_at, event_at, uninstalled_at)
  select args->>'locationId', args->>'companyId', case when args->>'locationId' is null then 'Company' else 'Location' end,
    'uninstalled', '', now(), happened_at, now()
  where coalesce(args->>'locationId', args->>'companyId') is not null
  on conflict do nothing;
  update bridge.ghl_accounts account set event_at = happened_at, updated_at = now()
  where case when args->>'locationId' is null then account.company_id = args->>'companyId'
      else account.location_id = args->>'locationId' end
    and account.status = 'uninstalled' and account.event_at < happened_at;
  for gone in
    update bridge.ghl_accounts account
    set status = 'uninstalled', access_token = null, refresh_token = null, refresh_holder = null, refresh_until = null,
      problem = null, event_at = happened_at, uninstalled_at = now(), updated_at = now()
    where case when args->>'locationId' is null then account.company_id = args->>'companyId'
        else account.location_id = args->>'locationId' end
      and account.status <> 'uninstalled'
      and (account.event_at is null or account.event_at <= happened_at)
      and (account.refreshed_at is null or account.refreshed_at <= happened_at)
    returning *
  loop
    if gone.location_id is not null then
      locations := locations || to_jsonb(gone.location_id);
    end if;
    perform bridge.announce('installation', coalesce(gone.location_id, gone.company_id));
  end loop;
  return locations;
end
$function$
CREATE OR REPLACE FUNCTION bridge.unlink_ghl(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
begin
  update bridge.contacts contact
  set ghl_contact_id = null, owes_phone = false, owes_name = false, phone_holder = null,
    former_ghl_contact_ids = array_remove(contact.former_ghl_contact_ids, contact.ghl_contact_id) || contact.ghl_contact_id,
    updated_at = clock_timestamp()
  where contact.location_id = args->>'locationId' and contact.ghl_contact_id = args->>'ghlContactId';
  return to_jsonb(found);
end
$function$
CREATE OR REPLACE FUNCTION bridge.update_session(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  patch jsonb := args->'patch';
  location text;
  is_new boolean;
begin
  select session.location_id, session.phone_number is null and patch->>'phoneNumber' is not null
  into location, is_new from bridge.sessions session where session.id = args->>'sessionId';
  if is_new then
    perform bridge.lock_default(location);
  end if;
  update bridge.sessions session
  set status = coalesce(patch->>'status', session.status),
    phone_number = case when patch ? 'phoneNumber' then patch->>'phoneNumber' else session.phone_number end,
    lid = case when patch ? 'lid' then patch->>'lid' else session.lid end,
    name = coalesce(session.name, patch->>'name'),
    last_seen_at = case when patch ? 'lastSeenAt' then bridge.from_ms((patch->>'lastSeenAt')::bigint)
      else session.last_seen_at end,
    paired_at = case when patch ? 'pairedAt' then bridge.from_ms((patch->>'pairedAt')::bigint)
      else session.paired_at end,
    problem = case when patch ? 'problem' then nullif(patch->'problem', 'null') else session.problem end,
    notice = case when patch ? 'notice' then nullif(patch->'notice', 'null') else session.notice end,
    next_attempt_at = case when patch ? 'nextAttemptAt' then bridge.from_ms((patch->>'nextAttemptAt')::bigint)
      else session.next_attempt_at end,
    live = case when patch ? 'live' then patch->>'live' else session.live end,
    updated_at = now()
  where session.id = args->>'sessionId';
  if not found then
    return 'false';
  end if;
  if is_new then
    perform bridge.pass_default(location);
  end if;
  perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.waiting_messages(args jsonb)
 RETURNS SETOF bridge.messages
 LANGUAGE sql
 STABLE
AS $function$
  select message.* from bridge.messages message
  where message.state in ('failed', 'held') and message.discarded_at is null
    and (args->>'state' is null or message.state = args->>'state')
    and (args->>'locationId' is null or message.location_id = args->>'locationId')
    and (args->>'sessionId' is null or message.session_id = args->>'sessionId')
$function$
CREATE OR REPLACE FUNCTION bridge.wake(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  woken text[];
begin
  insert into bridge.location_wakes as wakes (location_id, woken_token)
  values (args->>'locationId', 0)
  on conflict (location_id) do update set woken_token = wakes.woken_token;
  -- Drawn under the row's lock, so that it only rises.
  update bridge.location_wakes wakes set woken_token = nextval('bridge.claim_tokens')
  where wakes.location_id = args->>'locationId';
  if args->>'cured' is not null then
    update bridge.location_wakes wakes
    set cures = wakes.cures || jsonb_build_object(args->>'cured', wakes.woken_token)
    where wakes.location_id = args->>'locationId';
  end if;
  select coalesce(array_agg(waiting.key), '{}') into woken from (
    select lane.key from bridge.lanes lane
    where lane.location_id = args->>'locationId' and (lane.state = 'parked'
      or lane.state = 'backoff' and args->>'cured' = (
        select bridge.ailment(head.error_code) from bridge.jobs head
        where head.lane = lane.key and head.state = 'waiting' order by head.id limit 1))
    order by lane.key for update
  ) waiting;
  update bridge.lanes lane set state = 'ready', ready_at = clock_timestamp(), touched_at = now()
  where lane.key = any (woken) and lane.state in ('parked', 'backoff');
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION bridge.white_label_domains(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(distinct account.white_label_domain), '[]')
  from bridge.ghl_accounts account
  where account.white_label_domain is not null and account.status <> 'uninstalled'
    and (args->>'locationId' is null or account.location_id = args->>'locationId'
      or account.company_id = (
        select own.company_id from bridge.ghl_accounts own where own.location_id = args->>'locationId'))
$function$
CREATE OR REPLACE FUNCTION bridge.wish_session(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  location text;
begin
  update bridge.sessions session set wish = args->'wish', updated_at = now()
  where session.id = args->>'sessionId' returning session.location_id into location;
  if found then
    perform bridge.announce('session', location || ' ' || (args->>'sessionId'));
  end if;
  return to_jsonb(location is not null);
end
$function$
CREATE OR REPLACE FUNCTION bridge.wished_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(jsonb_agg(distinct session.location_id), '[]')
  from bridge.sessions session
  where session.wish is not null
    and session.location_id in (select jsonb_array_elements_text(args->'locations'))
$function$
CREATE OR REPLACE FUNCTION bridge.write_settings(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  patch jsonb := args->'patch';
  written bridge.location_settings;
begin
  if patch->>'pinnedSessionId' is not null then
    perform from bridge.sessions session
    where session.id = patch->>'pinnedSessionId' and session.location_id = args->>'locationId'
    for key share;
    if not found then
      return null;
    end if;
  end if;
  insert into bridge.location_settings (location_id) values (args->>'locationId') on conflict do nothing;
  update bridge.location_settings settings
  set groups = coalesce((patch->>'groups')::boolean, settings.groups),
    label = coalesce((patch->>'label')::boolean, settings.label),
    mark_read = coalesce((patch->>'markRead')::boolean, settings.mark_read),
    hold_after_minutes = coalesce((patch->>'holdAfterMinutes')::int, settings.hold_after_minutes),
    pinned_session_id = case when patch ? 'pinnedSessionId' then patch->>'pinnedSessionId'
      else settings.pinned_session_id end,
    history_days = coalesce((patch->>'historyDays')::int, settings.history_days),
    updated_at = now()
  where settings.location_id = args->>'locationId'
  returning * into written;
  return bridge.settings_json(written);
end
$function$
CREATE OR REPLACE FUNCTION bridge.write_signal(args jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
AS $function$
declare
  session text := args->>'sessionId';
begin
  if args ? 'credentials' then
    insert into bridge.session_credentials (session_id, value) values (session, args->>'credentials')
    on conflict (session_id) do update set value = excluded.value, updated_at = now();
  end if;
  if args ? 'keys' then
    insert into bridge.session_keys (session_id, kind, id, value)
    select session, key.kind, key.id, key.value
    from jsonb_to_recordset(args->'keys') as key (kind text, id text, value text)
    where key.value is not null
    order by key.kind, key.id
    on conflict on constraint session_keys_pk do update set value = excluded.value;
    delete from bridge.session_keys stored
    using jsonb_to_recordset(args->'keys') as key (kind text, id text, value text)
    where key.value is null
      and stored.session_id = session and stored.kind = key.kind and stored.id = key.id;
  end if;
  if args ? 'journal' then
    insert into bridge.journal (session_id, wa_message_id, sender, entry)
    select session, line."waMessageId", line.sender, line.entry
    from jsonb_to_recordset(args->'journal') as line ("waMessageId" text, sender text, entry text)
    on conflict on constraint journal_pk do update set entry = excluded.entry;
  end if;
  return 'true';
end
$function$
CREATE OR REPLACE FUNCTION public.bridge_abandon_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.abandon_refresh(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_accept_group_message(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.accept_group_message(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_accept_history(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.accept_history(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_accept_inbound(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.accept_inbound(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_accept_outbound(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.accept_outbound(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_activate_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.activate_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_advance(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.advance(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_advance_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.advance_sync(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_begin_history(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.begin_history(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_begin_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.begin_refresh(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_begin_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.begin_sync(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_bury(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.bury(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_census(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.census(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_claim(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.claim(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_claim_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.claim_webhook_events(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_complete(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.complete(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_count_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.count_installations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_count_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.count_locations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_count_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.count_syncs(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_count_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.count_tokens(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_count_waiting(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.count_waiting(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_create_oauth_state(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.create_oauth_state(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_create_pairing_link(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.create_pairing_link(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_create_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.create_service_key(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_create_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.create_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_deactivate_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.deactivate_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_depth(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.depth(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_describe_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.describe_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_discard_message(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.discard_message(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_drop_placeholder(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.drop_placeholder(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_edit_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.edit_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_end_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.end_tokens(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_extend(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.extend(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_fenced(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.fenced(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_company_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_company_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_composed(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_composed(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_ghl_status(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_ghl_status(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_group_name(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_group_name(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_history(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_history(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_inbound_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_inbound_work(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_installation_by_id(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_installation_by_id(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_journal(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_message(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_message(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_note_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_note_work(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_original(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_original(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_outbound_work(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_outbound_work(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_owed_contact(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_owed_contact(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_owed_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_owed_reads(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_pairing_link(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_pairing_link(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_quoted(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_quoted(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_service_key(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_find_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.find_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_finish_refresh(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.finish_refresh(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_finish_sync(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.finish_sync(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_forget_credentials(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.forget_credentials(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_give_up(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.give_up(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_hold(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.hold(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_is_ours(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.is_ours(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_learn_addresses(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.learn_addresses(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_ledger(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.ledger(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_link_ghl(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.link_ghl(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_audit(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_call_logs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_call_logs(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_evidence(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_evidence(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_installations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_messages(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_messages(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_service_keys(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_service_keys(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_sessions(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_sessions(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_sessions_of(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_sessions_of(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_syncs(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_list_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.list_webhook_events(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_load_credentials(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.load_credentials(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_note_attempt(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.note_attempt(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_note_evidence(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.note_evidence(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_note_install(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.note_install(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_note_version(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.note_version(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_owe_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.owe_reads(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_page_installations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.page_installations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_page_syncs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.page_syncs(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_park(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.park(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_prune(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.prune(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_prune_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.prune_audit(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_prune_webhook_events(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.prune_webhook_events(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_read_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.read_journal(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_read_keys(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.read_keys(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_read_settings(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.read_settings(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_read_tokens(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.read_tokens(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_audit(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_audit(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_filed(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_filed(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_group_name(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_group_name(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_note(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_note(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_paid(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_paid(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_told_failed(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_told_failed(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_record_webhook_event(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.record_webhook_event(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_release_history(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.release_history(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_release_leases(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.release_leases(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_remember_provider_type(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.remember_provider_type(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_remember_provider_way(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.remember_provider_way(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_remove_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.remove_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_removed_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.removed_locations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_reserve(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.reserve(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_retry(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.retry(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_retry_message(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.retry_message(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_revoke_service_key(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.revoke_service_key(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_save_call_logs(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.save_call_logs(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_save_installation(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.save_installation(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_schema_version(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.schema_version(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_settle_journal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.settle_journal(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_settle_person(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.settle_person(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_settle_reads(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.settle_reads(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_settle_waiting(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.settle_waiting(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_settle_webhook_event(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.settle_webhook_event(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_split_caption(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.split_caption(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_split_contacts(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.split_contacts(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_stats(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.stats(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_take_oauth_state(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.take_oauth_state(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_take_wish(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.take_wish(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_tend_leases(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.tend_leases(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_unfinished_refreshes(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.unfinished_refreshes(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_uninstall(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.uninstall(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_unlink_ghl(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.unlink_ghl(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_update_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.update_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_wake(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.wake(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_white_label_domains(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.white_label_domains(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_wish_session(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.wish_session(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_wished_locations(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.wished_locations(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_write_settings(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.write_settings(args) $function$
CREATE OR REPLACE FUNCTION public.bridge_write_signal(args jsonb)
 RETURNS jsonb
 LANGUAGE sql
AS $function$ select bridge.write_signal(args) $function$
