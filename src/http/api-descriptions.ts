/** What each route is for, and its good answers that no schema of the route tells. Read by api-docs.ts. */

export type Json = Record<string, unknown>

export interface Described {
  readonly summary: string
  /** Good answers that no schema of the route tells: status to what it is. */
  readonly answers?: Readonly<Record<number, Json>>
  /** For bodies that are read raw. */
  readonly body?: Json
}

export const VERBS = ['get', 'post', 'put', 'patch', 'delete'] as const
/** Takes any method, so the document lists it by hand. */
export const PROXY = '/api/ghl/location/{locationId}/proxy/{path}'

export const json = (description: string, schema: Json = { type: 'object' }): Json => ({
  description,
  content: { 'application/json': { schema } },
})
const stream = (description: string): Json => ({
  description,
  content: { 'text/event-stream': { schema: { type: 'string' } } },
})
const html = (description: string): Json => ({
  description,
  content: { 'text/html': { schema: { type: 'string' } } },
})
export const object = (properties: Json, ...required: string[]): Json => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})
export const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const number = { type: 'integer' } as const

const toGhl: Described = {
  summary: 'Begin an installation: redirects to GHL with a state that works once',
  answers: { 302: { description: 'GHL’s page for choosing a location' } },
}
const fromGhl: Described = {
  summary: 'Where GHL sends people back with a code',
  answers: { 200: html('Installed') },
}
const taken = json('Committed, or ignored for the reason that is named', {
  oneOf: [object({ accepted: text }, 'accepted'), object({ ignored: text }, 'ignored')],
})
const product = object(
  {
    success: flag,
    productId: { ...text, nullable: true },
    message: text,
    goHighLevelResponse: { type: 'object' },
  },
  'success',
  'message',
)
const callLogSync = object(
  {
    success: flag,
    running: flag,
    records: number,
    skipped: number,
    results: { type: 'array', items: { type: 'object' } },
  },
  'success',
  'running',
  'records',
  'skipped',
  'results',
)
const callLog = {
  ...object(
    { callId: text, agentId: text, ghlContactId: text, durationSec: number, isTrial: flag, calledAt: text },
    'callId',
    'isTrial',
    'calledAt',
  ),
  additionalProperties: true,
  description:
    'With what GHL says of it besides (fromNumber, summary, transcript, …), except for a plain user of a page',
}
const deleted = { 204: { description: 'Done' } }
const passedOn: Described = {
  summary: 'GHL’s API with the location’s token and under its limit; status, headers and body are GHL’s',
  answers: { 200: { description: 'What GHL answered' } },
}

/** By method and path, as OpenAPI writes them. */
export const ROUTES: Readonly<Record<string, Described>> = {
  'GET /health': { summary: 'Whether the process lives' },
  'GET /ready': {
    summary: 'Whether the store answers; numbers that are not ready are named, not failed for',
    answers: {
      200: json(
        'The store answers',
        object(
          {
            status: { type: 'string', enum: ['ready'] },
            store: text,
            sessions: object({ total: number, notReady: { type: 'array', items: { type: 'object' } } }),
          },
          'status',
          'sessions',
        ),
      ),
      503: json('It does not', object({ status: { type: 'string', enum: ['unavailable'] }, store: text })),
    },
  },
  'GET /metrics': {
    summary: 'Figures for Prometheus',
    answers: { 200: { description: 'Its text format', content: { 'text/plain': { schema: text } } } },
  },
  'GET /oauth/install': toGhl,
  'GET /ghl/install': toGhl,
  'GET /oauth/callback': fromGhl,
  'GET /ghl/callback': fromGhl,
  'POST /ghl/webhook': {
    summary: 'GHL’s app events, signed: INSTALL, UNINSTALL, UPDATE, contacts, read state',
    body: object({ type: text, webhookId: text, locationId: text, companyId: text, appId: text }, 'type'),
    answers: { 200: taken },
  },
  'POST /ghl/provider/webhook': {
    summary: 'GHL’s delivery of an agent’s message, signed',
    body: object(
      {
        locationId: text,
        contactId: text,
        messageId: text,
        type: text,
        phone: text,
        message: text,
        attachments: { type: 'array', items: text },
        conversationProviderId: text,
      },
      'locationId',
      'contactId',
      'messageId',
    ),
    answers: { 200: taken },
  },
  'POST /whatsapp/webhook': {
    summary: 'What another WhatsApp engine received',
    answers: {
      200: json(
        'Committed',
        object({ accepted: { type: 'string', enum: ['enqueued', 'duplicate'] } }, 'accepted'),
      ),
    },
  },
  'POST /api/sso': { summary: 'GHL’s word for who opened the page, against a token of 15 minutes' },
  'POST /api/console/session': { summary: 'The operator’s key against the console’s token' },
  'GET /pair/{token}/events': {
    summary: 'Stream of one number’s pairing, for the holder of its link',
    answers: { 200: stream('Events named session') },
  },
  'POST /pair/{token}/restart': { summary: 'A new QR or code, for the holder of the link' },
  'GET /files/{token}/{name}': {
    summary: 'A file that GHL did not take',
    answers: {
      200: {
        description: 'Its bytes',
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
    },
  },
  'GET /api/ghl/locations': { summary: 'Locations with the health of their tokens and their numbers' },
  'GET /api/ghl/tokens': { summary: 'Installations and the health of their tokens; no token is shown' },
  'POST /api/ghl/tokens/refresh': {
    summary: 'Renew what is due, or all by force; a dry run changes nothing',
  },
  'POST /api/ghl/tokens/{installationId}/refresh': { summary: 'Renew one installation’s tokens' },
  'POST /api/ghl/tokens/{installationId}/deactivate': {
    summary: 'Switch an installation off: its numbers stop, its messages wait, GHL is not called',
  },
  'POST /api/ghl/tokens/{installationId}/activate': { summary: 'Switch it on again' },
  'POST /admin/ghl/sync-all-subaccounts': { summary: 'Reconcile installations with what GHL knows' },
  'GET /api/sync/status': { summary: 'How far long work is, and how it ended; latest first' },
  'GET /api/sync/kinds': { summary: 'How many runs of each kind of long work are in which state' },
  'GET /api/ghl/events': { summary: 'GHL’s app events and what became of each' },
  'GET /api/integrations/ghl/auth-url': { summary: 'A fresh install link' },
  'GET /api/integrations/ghl/status': { summary: 'What is configured, and the state of the tokens' },
  'GET /api/integrations/ghl/test-integration': { summary: 'Each step towards GHL tried, with its time' },
  'POST /ghl/location/{locationId}/session': { summary: 'Add a number and begin pairing' },
  'GET /ghl/location/{locationId}/session': { summary: 'The numbers of a location' },
  'GET /ghl/location/{locationId}/events': {
    summary: 'Stream of a location: its numbers, and hints that messages moved',
    answers: { 200: stream('Events named session, removed and messages') },
  },
  'GET /ghl/location/{locationId}/session/{id}/events': {
    summary: 'Stream of one number',
    answers: { 200: stream('Events named session') },
  },
  'POST /ghl/location/{locationId}/session/{id}/restart': { summary: 'Connect again, or a new QR or code' },
  'PATCH /ghl/location/{locationId}/session/{id}': { summary: 'Rename a number, or make it the default' },
  'DELETE /ghl/location/{locationId}/session/{id}': {
    summary: 'Log the number out and remove it',
    answers: deleted,
  },
  'POST /ghl/location/{locationId}/session/{id}/pairing-link': {
    summary: 'A link of 30 minutes for the client’s own phone',
  },
  'GET /ghl/location/{locationId}/session/{id}/history': { summary: 'How far the import of history is' },
  'GET /ghl/location/{locationId}/settings': { summary: 'A location’s settings' },
  'PUT /ghl/location/{locationId}/settings': { summary: 'Change them' },
  'GET /api/messages': { summary: 'Messages by state, newest first' },
  'GET /api/messages/waiting': { summary: 'How many failed or held messages wait for a word' },
  'POST /api/messages/retry': {
    summary: 'Send all that wait, a batch at a time, the oldest first; repeat with `after` until it is null',
  },
  'POST /api/messages/discard': { summary: 'Drop all that wait, likewise' },
  'POST /api/messages/{id}/retry': { summary: 'Send a failed or held message; never twice' },
  'POST /api/messages/{id}/discard': { summary: 'Drop a failed or held message' },
  'GET /api/ledger/{locationId}': { summary: 'What came in a day, and what became of it' },
  'GET /api/stats': { summary: 'Counts per hour and times to delivery' },
  'GET /api/contacts/split': { summary: 'People who are two contacts, and how to join them' },
  'POST /api/keys': { summary: 'A service key; shown this once' },
  'GET /api/keys': { summary: 'Service keys, without the keys' },
  'DELETE /api/keys/{id}': { summary: 'Revoke a service key', answers: deleted },
  'GET /api/audit': { summary: 'Who changed what' },
  'GET /api/token-access/{installationId}': {
    summary: 'A valid access token, renewed if need be',
    answers: {
      200: json(
        'The token',
        object(
          {
            success: flag,
            access_token: text,
            installation_id: text,
            locationId: { ...text, nullable: true },
          },
          'success',
          'access_token',
          'installation_id',
        ),
      ),
    },
  },
  'POST /api/products/create': {
    summary: 'A product in GHL, with its price; repeated safely',
    answers: { 201: json('Made', product), 200: json('It was there already', product) },
  },
  'POST /api/sync/call-logs': {
    summary: 'Copy Voice AI call logs from GHL',
    answers: {
      200: json('Done', callLogSync),
      202: json('It goes on; see GET /api/sync/status', callLogSync),
    },
  },
  'GET /api/call-logs': {
    summary: 'The call logs that were copied',
    answers: {
      200: json(
        'A page of them',
        object(
          { callLogs: { type: 'array', items: callLog }, nextCursor: { ...text, nullable: true } },
          'callLogs',
          'nextCursor',
        ),
      ),
    },
  },
  'GET /api/console/setup': { summary: 'How the server is set up, without secrets' },
  'GET /api/console/counts': { summary: 'How many locations are in which state' },
  'GET /api/console/events': {
    summary: 'Stream of hints that something changed',
    answers: { 200: stream('Events that name what changed') },
  },
  ...Object.fromEntries(VERBS.map((verb) => [`${verb.toUpperCase()} ${PROXY}`, passedOn])),
}
