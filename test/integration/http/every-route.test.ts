/**
 * Every route of the document at /docs against a whole bridge on a real store: who is not let in, what of another location
 * nobody reaches, and what nonsense gets. The requests are made from the document, so a new route is in here by itself.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describedServer } from '../../../scripts/api-types.ts'
import { SERVICE_SCOPES } from '../../../src/bridge/service-keys.ts'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
}
interface Operation {
  readonly security: readonly Record<string, unknown>[]
  readonly parameters?: readonly {
    readonly in: 'path' | 'query'
    readonly name: string
    readonly required: boolean
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}
interface Route {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly callers: readonly string[]
  readonly params: NonNullable<Operation['parameters']>
  readonly body: Schema | undefined
}
type Values = Readonly<Record<string, unknown>>
interface Wish {
  readonly path?: Values
  readonly query?: Values
  /** As text it is sent as it is. */
  readonly body?: unknown
}

const documented = await describedServer()
// As OpenAPI 3 writes it.
const { paths } = JSON.parse(JSON.stringify(documented.swagger())) as {
  paths: Record<string, Record<string, Operation>>
}
await documented.close()
const ROUTES: readonly Route[] = Object.entries(paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, { security, parameters = [], requestBody }]) => ({
    name: `${verb.toUpperCase()} ${path}`,
    method: verb.toUpperCase(),
    path,
    callers: security.flatMap((each) => Object.keys(each)),
    params: parameters,
    body: requestBody?.content['application/json']?.schema,
  })),
)
const GUARDED = ROUTES.filter(({ callers }) => callers.length > 0)
const FOR_KEYS = ROUTES.filter(({ callers }) => callers.includes('serviceKey'))
/** Of another location's message not even that it exists is told; a session is looked for in the key's own. */
const FOREIGN: Readonly<Record<string, readonly [status: number, code: string]>> = {
  'POST /api/messages/{id}/retry': [404, 'MESSAGE_UNKNOWN'],
  'POST /api/messages/{id}/discard': [404, 'MESSAGE_UNKNOWN'],
}

const FOR_PAGES = ROUTES.filter(({ callers }) => callers.includes('page'))
/** A page is refused, which names another location's number or message where its own stands. */
const REFUSED_THEIRS: Readonly<Record<string, string>> = {
  'GET /ghl/location/{locationId}/session/{id}/events': 'SESSION_UNKNOWN',
  'POST /ghl/location/{locationId}/session/{id}/restart': 'SESSION_UNKNOWN',
  'PATCH /ghl/location/{locationId}/session/{id}': 'SESSION_UNKNOWN',
  'DELETE /ghl/location/{locationId}/session/{id}': 'SESSION_UNKNOWN',
  'POST /ghl/location/{locationId}/session/{id}/pairing-link': 'SESSION_UNKNOWN',
  'GET /ghl/location/{locationId}/session/{id}/history': 'SESSION_UNKNOWN',
  'PUT /ghl/location/{locationId}/settings': 'SESSION_UNKNOWN',
  'POST /api/messages/{id}/retry': 'MESSAGE_UNKNOWN',
  'POST /api/messages/{id}/discard': 'MESSAGE_UNKNOWN',
}
/** It is answered whatever it names, and from its own location alone. */
const CONFINED: readonly string[] = [
  'GET /api/ghl/locations',
  'GET /api/sync/status',
  'POST /ghl/location/{locationId}/session',
  'GET /ghl/location/{locationId}/session',
  'GET /ghl/location/{locationId}/events',
  'GET /ghl/location/{locationId}/settings',
  'GET /api/messages',
  'GET /api/messages/waiting',
  'POST /api/messages/retry',
  'POST /api/messages/discard',
  'GET /api/ledger/{locationId}',
  'GET /api/contacts/split',
  'GET /api/call-logs',
  'GET /api/stats',
]

/** A value of that shape. */
function sample(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.format === 'date-time') return '2026-01-01T00:00:00Z'
  if (schema.format === 'date') return '2026-01-01'
  if (schema.type === 'array') return [sample(schema.items ?? {})]
  if (schema.type === 'integer' || schema.type === 'number') return 1
  if (schema.type === 'boolean') return true
  if (schema.type === 'object')
    return Object.fromEntries(
      Object.entries(schema.properties ?? {})
        .filter(([name]) => schema.required?.includes(name))
        .map(([name, each]) => [name, sample(each)]),
    )
  return 'abc'.padEnd(schema.minLength ?? 0, 'c')
}

/** Text that is none of that shape; every parameter has a shape. */
function nonsense(schema: Schema): string {
  if (schema.enum ?? schema.pattern ?? schema.anyOf ?? (schema.type !== 'string' || undefined))
    return 'no.thing'
  return schema.minLength === undefined ? 'x'.repeat((schema.maxLength ?? 0) + 1) : ''
}

const titled = (routes: readonly Route[]) => routes.map((route): [string, Route] => [route.name, route])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const asObject = (value: unknown): Values => (typeof value === 'object' && value !== null ? { ...value } : {})
const required = (route: Route, where: 'path' | 'query'): Values =>
  Object.fromEntries(
    route.params
      .filter((each) => each.in === where && each.required)
      .map(({ name, schema }) => [name, sample(schema)]),
  )

/** What is wrong with it, the wish, and the name that the answer must tell. */
function badWishes(route: Route): [what: string, wish: Wish, named: string][] {
  const params = route.params.map(({ in: where, name, schema }): [string, Wish, string] => {
    const values = { ...required(route, where), [name]: where === 'path' ? 'no.thing' : nonsense(schema) }
    return [`${where} ${name}`, { body: route.body && sample(route.body), [where]: values }, name]
  })
  if (route.body === undefined) return params
  const whole = asObject(sample(route.body))
  const wrong = Object.keys(route.body.properties ?? {}).map((name): [string, Wish, string] => [
    `body ${name}`,
    { body: { ...whole, [name]: { no: 'thing' } } },
    name,
  ])
  const notOne: [string, Wish, string][] = [
    ['a body that is no JSON', { body: '{' }, ''],
    ['a body that is a list', { body: '[]' }, ''],
    ['a body that is a number', { body: '7' }, ''],
  ]
  return [...params, ...wrong, ...notOne]
}

/** Their bodies are signed and read leniently, since GHL would repeat what is refused (webhooks.test.ts has which). */
const SIGNED = ['POST /ghl/webhook', 'POST /ghl/provider/webhook']
/** Answered without naming the parameter, since the address itself is what is not known. */
const NOT_NAMED: Readonly<Record<string, readonly [status: number, code: string]>> = {
  'GET /files/{token}/{name} path token': [410, 'LINK_EXPIRED'],
  'GET /files/{token}/{name} path name': [410, 'LINK_EXPIRED'],
}
const BAD = ROUTES.flatMap((route) =>
  badWishes(route)
    .filter(([what]) => !SIGNED.includes(route.name) || !what.startsWith('body '))
    // GHL says which of its paths there are.
    .filter(([what]) => !(route.path.includes('/proxy/') && what === 'path path'))
    .map(([what, wish, named]): [string, Route, Wish, string] => [
      `${route.name} ${what}`,
      route,
      wish,
      named,
    ]),
)

interface Place {
  readonly locationId: string
  readonly installationId: string
  readonly sessionId: string
  readonly messageId: string
}

describe('every route', () => {
  let app: GhlApp
  let client: pg.Client
  let own: Place
  let other: Place
  let key: string
  let page: string
  let userPage: string
  let pairingToken: string

  beforeAll(async () => {
    app = await startGhlApp()
    client = new pg.Client({ connectionString: app.databaseUrl })
    await client.connect()
    own = await place()
    other = await place()
    key = (
      await app.call<{ key: string }>('POST', '/api/keys', {
        body: { name: 'Shop', scopes: SERVICE_SCOPES, locationId: own.locationId },
      })
    ).body.key
    page = await bearerOf('admin')
    userPage = await bearerOf('user')
    // Of the other location there is something of every kind that is listed or counted.
    await app.call('POST', '/api/sync/call-logs', { body: { locationId: other.locationId } })
    await client.query("update bridge.messages set state = 'held' where id = $1", [other.messageId])
    const link = `/ghl/location/${other.locationId}/session/${other.sessionId}/pairing-link`
    const { body } = await app.call<{ url: string }>('POST', link)
    pairingToken = new URL(body.url).pathname.split('/').at(-1) ?? ''
    expect(pairingToken).toHaveLength(32)
  }, 60_000)
  afterAll(async () => {
    await client.end()
    await app.stop()
  })

  const bearerOf = async (role: 'admin' | 'user'): Promise<string> => {
    const as = await app.page(own.locationId, role)
    return typeof as === 'string' ? '' : as.bearer
  }

  /** A location with a number and an agent's message. */
  async function place(): Promise<Place> {
    const locationId = app.sandbox.addLocation().id
    await app.install({ location: locationId })
    const made = await app.call<{ session_id: string }>('POST', `/ghl/location/${locationId}/session`, {
      body: {},
    })
    const delivery = {
      type: 'SMS',
      locationId,
      contactId: 'abcdefghijklmnopqrst',
      messageId: randomUUID().replaceAll('-', '').slice(0, 20),
      phone: '+15551230001',
      message: 'Are you open?',
    }
    expect((await send('POST', '/ghl/provider/webhook', JSON.stringify(delivery))).status).toBe(200)
    const { body: tokens } = await app.call<{
      installations: { locationId: string; installationId: string }[]
    }>('GET', '/api/ghl/tokens')
    const { body } = await app.call<{ messages: { id: string }[] }>(
      'GET',
      `/api/messages?locationId=${locationId}`,
    )
    const installation = tokens.installations.find((row) => row.locationId === locationId)
    const [message] = body.messages
    if (installation === undefined || message === undefined) throw new Error('not listed')
    return {
      locationId,
      installationId: installation.installationId,
      sessionId: made.body.session_id,
      messageId: message.id,
    }
  }

  /** A stream never ends; what it begins with is there at once. */
  const firstPart = async ({ body }: Response): Promise<string> => {
    const reader = body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    await reader?.cancel()
    return value === undefined ? '' : new TextDecoder().decode(value)
  }

  const send = async (method: string, path: string, body?: string, bearer?: string) => {
    const answer = await fetch(`${app.nodes[0]?.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && {
          'content-type': 'application/json',
          'x-ghl-signature': app.sandbox.deliveries.sign(body),
        }),
      },
      ...(body !== undefined && { body }),
      // A stream that was opened by mistake would never end.
      signal: AbortSignal.timeout(10_000),
    })
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    const text = isJson ? await answer.text() : await firstPart(answer)
    const json: unknown = isJson ? JSON.parse(text) : undefined
    return { status: answer.status, text, error: asObject(asObject(json)['error']) }
  }

  const ask = async (route: Route, wish: Wish, bearer?: string) => {
    const values: Values = {
      locationId: own.locationId,
      id: own.sessionId,
      token: pairingToken,
      path: 'contacts/abc',
      ...wish.path,
    }
    const filled = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => textOf(values[name] ?? 'abc'))
    const query = new URLSearchParams(
      Object.entries({ ...required(route, 'query'), ...wish.query }).map(([name, value]) => [
        name,
        textOf(value),
      ]),
    )
    const { body } = wish
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    return await send(route.method, `${filled}?${query.toString()}`, text, bearer)
  }

  /** What callers can change, without what the bridge itself moves meanwhile. */
  const everything = async () =>
    (
      await client.query<Record<string, unknown>>(`select
        (select jsonb_agg(jsonb_build_array(id, location_id, name, is_default) order by id) from bridge.sessions) as sessions,
        (select jsonb_agg(jsonb_build_array(id, location_id, name, scopes) order by id) from bridge.service_keys) as keys,
        (select jsonb_agg(to_jsonb(s) order by location_id) from bridge.location_settings s) as settings,
        (select jsonb_agg(jsonb_build_array(id, state, discarded_at) order by id) from bridge.messages) as messages,
        (select jsonb_agg(jsonb_build_array(id, status, deactivated_at) order by id) from bridge.ghl_accounts) as installations,
        (select count(*) from bridge.pairing_links) as links,
        (select count(*) from bridge.call_logs) as calls`)
    ).rows[0]

  /** What of a request may name a location or something in it, all of one place. */
  const naming = (route: Route, at: Place): Wish => {
    const ids: Values = {
      locationId: at.locationId,
      installationId: at.installationId,
      installation_id: at.installationId,
      sessionId: at.sessionId,
      pinnedSessionId: at.sessionId,
      id: route.path.startsWith('/api/messages/') ? at.messageId : at.sessionId,
    }
    const among = (names: readonly string[]): Values =>
      Object.fromEntries(names.filter((name) => name in ids).map((name) => [name, ids[name]]))
    const named = (where: 'path' | 'query') =>
      among(route.params.filter((each) => each.in === where).map(({ name }) => name))
    return {
      path: named('path'),
      query: named('query'),
      ...(route.body && {
        body: { ...asObject(sample(route.body)), ...among(Object.keys(route.body.properties ?? {})) },
      }),
    }
  }

  /** What is of no place, and makes a request whole: what is held waits for a word, and of the other location it does. */
  const whole = (route: Route): { readonly query: Values; readonly body: Values } => {
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
    const among = (values: Values, names: readonly string[]): Values =>
      Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)))
    return {
      query: among(
        { locationId: own.locationId, from: at(-60), to: at(60) },
        Object.keys(required(route, 'query')),
      ),
      body: among({ state: 'held' }, route.body?.required ?? []),
    }
  }

  /** The page's own location where one must be named, and for the rest what is of that place, or nothing. */
  const underOwn = (route: Route, at?: Place): Wish => {
    const { path, query, body } = naming(route, at ?? own)
    const rest = (values: unknown): Values => {
      const { locationId: _, ...named } = asObject(values)
      return at === undefined ? {} : named
    }
    const needed = whole(route)
    return {
      path: { ...path, ...(path && 'locationId' in path && { locationId: own.locationId }) },
      query: { ...rest(query), ...needed.query },
      ...(route.body && { body: { ...rest(body), ...needed.body } }),
    }
  }

  /** What is there of one place, row by row. */
  const of = async (at: Place): Promise<readonly string[]> => {
    const ids = Object.values<string>({ ...at })
    return Object.values((await everything()) ?? {})
      .flatMap((rows) => (Array.isArray(rows) ? rows.map((row) => JSON.stringify(row)) : []))
      .filter((row) => ids.some((id) => row.includes(id)))
  }

  it('is walked here, the guarded ones and those for service keys', () => {
    expect(ROUTES.length).toBeGreaterThan(50)
    expect(GUARDED.length).toBeGreaterThan(40)
    expect(FOR_KEYS.length).toBeGreaterThan(25)
    for (const name of [...Object.keys(FOREIGN), ...SIGNED])
      expect(ROUTES.map((route) => route.name)).toContain(name)
    for (const title of Object.keys(NOT_NAMED)) expect(BAD.map(([each]) => each)).toContain(title)
  })

  it.each(titled(GUARDED))('%s lets nobody in without a bearer', async (_, route) => {
    const before = await everything()
    expect(await ask(route, naming(route, other))).toMatchObject({
      status: 401,
      error: { code: 'UNAUTHENTICATED', message: expect.any(String) as string },
    })
    expect(await everything()).toEqual(before)
  })

  it.each(titled(FOR_KEYS))('%s refuses the key of another location', async (_, route) => {
    const before = await everything()
    const [status, code] = FOREIGN[route.name] ?? [403, 'FORBIDDEN']
    expect(await ask(route, naming(route, other), key)).toMatchObject({
      status,
      error: { code, action: expect.any(String) as string },
    })
    expect(await everything()).toEqual(before)
  })

  it.each(titled(FOR_KEYS.filter(({ path }) => path.includes('/{locationId}/session/{id}'))))(
    '%s finds no session of another location in the key’s own',
    async (_, route) => {
      const before = await everything()
      const { path, ...wish } = naming(route, other)
      expect(await ask(route, { ...wish, path: { ...path, locationId: own.locationId } }, key)).toMatchObject(
        { status: 404, error: { code: 'SESSION_UNKNOWN', action: expect.any(String) as string } },
      )
      expect(await everything()).toEqual(before)
    },
  )

  it('of those for pages is in one list of what a page gets under its own address', () => {
    const listed = [...Object.keys(REFUSED_THEIRS), ...CONFINED]
    expect(FOR_PAGES.map(({ name }) => name).toSorted()).toEqual(listed.toSorted())
  })

  it.each(titled(GUARDED))('%s refuses the page of another location', async (_, route) => {
    const before = await everything()
    const isForPages = FOR_PAGES.includes(route)
    const [status, code] = (isForPages ? FOREIGN[route.name] : undefined) ?? [403, 'FORBIDDEN']
    expect(await ask(route, naming(route, other), page)).toMatchObject({ status, error: { code } })
    // For a plain user it is the same, or the deed is an admin's.
    expect((await ask(route, naming(route, other), userPage)).status).toBeOneOf([403, status])
    expect(await everything()).toEqual(before)
  })

  it.each(titled(GUARDED.filter((route) => !FOR_PAGES.includes(route))))(
    '%s refuses the page of its own location',
    async (_, route) => {
      const before = await everything()
      for (const at of [own, other])
        expect(await ask(route, underOwn(route, at), page)).toMatchObject({
          status: 403,
          error: { code: 'FORBIDDEN' },
        })
      expect(await everything()).toEqual(before)
    },
  )

  it.each(titled(FOR_PAGES.filter(({ name }) => name in REFUSED_THEIRS)))(
    '%s refuses a page that names another location’s under its own',
    async (_, route) => {
      const before = await everything()
      expect(await ask(route, underOwn(route, other), page)).toMatchObject({
        status: 404,
        error: { code: REFUSED_THEIRS[route.name], action: expect.any(String) as string },
      })
      expect(await everything()).toEqual(before)
    },
  )

  it.each(titled(FOR_PAGES.filter(({ name }) => CONFINED.includes(name))))(
    '%s answers a page from its own location alone, whatever it names',
    async (_, route) => {
      const before = await of(other)
      expect(before.length).toBeGreaterThan(2)
      for (const wish of [underOwn(route, other), underOwn(route)]) {
        const { status, text } = await ask(route, wish, page)
        expect([status, text]).toEqual([expect.toBeOneOf([200, 201]), expect.stringMatching(/./)])
        for (const id of Object.values<string>({ ...other })) expect(text).not.toContain(id)
      }
      expect(await of(other)).toEqual(before)
    },
  )

  it.each(['waiting', 'stats'])('%s counts for a page its own location alone', async (what) => {
    const at = (minutes: number) => encodeURIComponent(new Date(Date.now() + minutes * 60_000).toISOString())
    const path =
      what === 'stats' ? `/api/stats?from=${at(-60)}&to=${at(60)}` : '/api/messages/waiting?state=held'
    const seen = async (query: string, bearer: string) => {
      const { text } = await send('GET', path + query, undefined, bearer)
      const { numbers: _, ...counts } = JSON.parse(text) as Values
      return counts
    }
    const [ofOwn, ofAll] = [
      await seen(`&locationId=${own.locationId}`, app.apiKey),
      await seen('', app.apiKey),
    ]
    expect(ofAll).not.toEqual(ofOwn)
    expect(await seen('', page)).toEqual(ofOwn)
  })

  it('a number of another location shows no message and is pinned by nobody', async () => {
    const before = await everything()
    const as = { bearer: key }
    const theirs = await app.call('GET', `/api/messages?sessionId=${other.sessionId}`, { as })
    expect(theirs).toMatchObject({ status: 200, body: { messages: [] } })
    const body = { pinnedSessionId: other.sessionId }
    const pinned = await app.call('PUT', `/ghl/location/${own.locationId}/settings`, { as, body })
    expect(pinned).toMatchObject({
      status: 404,
      body: { error: { code: 'SESSION_UNKNOWN', action: expect.any(String) as string } },
    })
    expect(await everything()).toEqual(before)
  })

  it.each(BAD)('%s: nonsense is refused, and named', async (title, route, wish, named) => {
    const before = await everything()
    const { status, error } = await ask(route, wish, app.apiKey)
    const [expected, code] =
      NOT_NAMED[title] ??
      (SIGNED.includes(route.name) ? [400, 'WEBHOOK_MALFORMED'] : [400, 'REQUEST_INVALID'])
    expect({ status, error }).toMatchObject({
      status: expected,
      error: {
        code,
        message:
          title in NOT_NAMED ? (expect.any(String) as string) : (expect.stringContaining(named) as string),
      },
    })
    expect(await everything()).toEqual(before)
  })
})
