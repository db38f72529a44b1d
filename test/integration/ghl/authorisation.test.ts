/** Which 401 and 403 make us refresh, counted at GHL's door: a test per row of ghl.md 1, and what the strict sandbox says itself. */
import { afterEach, describe, expect, it } from 'vitest'
import { type LocationId, parseGhlContactId, parseWaMessageId } from '../../../src/core/ids.ts'
import { type Bench, startBench } from './bench.ts'

const TOKEN = 'POST /oauth/token'
const INBOUND = 'POST /conversations/messages/inbound'

let bench: Bench
let locationId: LocationId
let contact: string
afterEach(() => bench.stop())

async function installed(change?: Parameters<typeof startBench>[1]): Promise<void> {
  bench = await startBench({}, change)
  locationId = await bench.install()
  contact = bench.sandbox.contacts.add(locationId, { phone: '+15551230001' }).id
  bench.sandbox.forget()
}

const refreshes = () => bench.sandbox.calls({ route: TOKEN }).length
const attempts = () => bench.sandbox.calls({ route: INBOUND }).length
let count = 0
const addMessage = async () => {
  const altId = parseWaMessageId(`WA${++count}`)
  await bench.ghl.conversations.addInbound({
    locationId,
    ghlContactId: parseGhlContactId(contact),
    direction: 'inbound',
    altId,
    text: 'hello',
    attachments: [],
  })
}
/** The token that we believe to be ours. */
async function speakUnder(accessToken: string): Promise<void> {
  const row = await bench.installations.findByLocation(locationId)
  bench.installations.edit(row?.installationId ?? '', { tokens: { accessToken } })
  bench.ghl.tokens.forget(locationId)
}
async function outcome(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return 'done'
  } catch (thrown) {
    return (thrown as { code: string }).code // only typed errors leave the adapter
  }
}

const AUTH_CLASS = 'This authClass type is not allowed to access this scope. Please use the correct one'
const NO_ACCESS = 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS'

/** A new token would not do: none is asked for, and the call is made once. */
const NEVER = [
  [401, 'The token is not authorized for this scope.', undefined],
  [401, "Token's user type mismatch!", undefined],
  [401, AUTH_CLASS, undefined],
  [403, AUTH_CLASS, undefined],
  [403, 'The token does not have access to this location.', undefined],
  [401, 'The token does not have access to this location.', undefined],
  [401, 'No access to this conversation provider', NO_ACCESS],
  // Its words are those of a spent token, its code is not: the code decides.
  [401, 'Invalid JWT', NO_ACCESS],
  [401, 'version header was not found.', undefined],
  [401, 'No message found for the id', undefined],
  [403, 'Forbidden resource', undefined],
  [403, 'Invalid JWT', undefined],
] as const

/** The token is spent: renewed once, and the call made again once. */
const ONCE = [
  'Invalid JWT',
  'jwt expired',
  'The token has expired',
  'Invalid token: access token is invalid',
] as const

const refuse = (status: number, message: string, canonicalCode?: string, times: number | null = null) =>
  bench.sandbox.faults.add({
    route: INBOUND,
    times,
    effect: { kind: 'status', status, body: { statusCode: status, message, canonicalCode, traceId: 't1' } },
  })

describe('a refusal that no new token cures', () => {
  it.each(NEVER)('%i "%s" (%s) makes no refresh, however often it comes', async (status, message, code) => {
    await installed()
    refuse(status, message, code)
    for (let n = 0; n < 3; n++) expect(await outcome(addMessage)).toBe('GHL_FORBIDDEN')
    expect([refreshes(), attempts()]).toEqual([0, 3])
  })

  it.each([401, 403])('%i of the first seconds after a hand-over makes none, and says so', async (status) => {
    await installed()
    refuse(status, 'No conversation provider found for this message')
    expect(await outcome(addMessage)).toBe('GHL_STATUS_TOO_EARLY')
    expect([refreshes(), attempts()]).toEqual([0, 1])
  })

  it('makes none for calls that are passed on for others either', async () => {
    await installed()
    refuse(401, 'The token is not authorized for this scope.')
    const answer = await bench.ghl.client.open(locationId, {
      method: 'POST',
      path: '/conversations/messages/inbound',
      raw: { body: Buffer.from('{}'), headers: { 'content-type': 'application/json' } },
    })
    answer.body.destroy()
    expect([answer.status, refreshes(), attempts()]).toEqual([401, 0, 1])
  })
})

describe('a refusal of a spent token', () => {
  it.each(ONCE)('401 "%s" makes one refresh, and the call goes through', async (message) => {
    await installed()
    refuse(401, message, undefined, 1)
    expect(await outcome(addMessage)).toBe('done')
    expect([refreshes(), attempts()]).toEqual([1, 2])
  })

  it.each(ONCE)(
    '401 "%s" that stays makes one refresh, not one per call, and kills no message',
    async (message) => {
      await installed()
      refuse(401, message)
      for (let n = 0; n < 5; n++) expect(await outcome(addMessage)).toBe('GHL_UNAVAILABLE')
      expect([refreshes(), attempts()]).toEqual([1, 6])
      bench.sandbox.faults.clear()
      expect(await outcome(addMessage)).toBe('done')
      expect(refreshes()).toBe(1)
    },
  )

  it('in words that nobody has seen makes one, while the token may be old, and kills no message', async () => {
    await installed()
    refuse(401, 'Computer says no')
    for (let n = 0; n < 3; n++) expect(await outcome(addMessage)).toBe('GHL_UNAVAILABLE')
    expect([refreshes(), attempts()]).toEqual([1, 4])
    bench.sandbox.faults.clear()
    expect(await outcome(addMessage)).toBe('done')
    expect(refreshes()).toBe(1)
  })
})

describe('the strict sandbox, asked with the wrong token', () => {
  const sandbox = (): Bench['sandbox'] => bench.sandbox
  it.each([
    ['an expired one', (): number => sandbox().tokens.expireAccess(locationId), 'done', 1],
    ['one that GHL does not know', () => speakUnder('not.one.known'), 'done', 1],
    ['one that is no token', () => speakUnder('nonsense'), 'done', 1],
    [
      'one without the scope',
      () => speakUnder(sandbox().tokens.issueLocation(locationId, ['contacts.readonly'])),
      'GHL_FORBIDDEN',
      0,
    ],
    ['an agency’s', () => speakUnder(sandbox().tokens.issueCompany()), 'GHL_FORBIDDEN', 0],
    ['an agency’s private one', () => speakUnder(sandbox().tokens.issuePrivate()), 'GHL_FORBIDDEN', 0],
    [
      'a location’s private one',
      () => speakUnder(sandbox().tokens.issuePrivate(locationId)),
      'GHL_FORBIDDEN',
      0,
    ],
  ] as const)('%s', async (_, prepare, expected, tokenCalls) => {
    await installed()
    await prepare()
    expect(await outcome(addMessage)).toBe(expected)
    expect(refreshes()).toBe(tokenCalls)
    expect(sandbox().messages(locationId)).toHaveLength(expected === 'done' ? 1 : 0)
  })

  it('another location’s', async () => {
    await installed()
    const other = sandbox().addLocation().id
    sandbox().installIn(other)
    await speakUnder(sandbox().tokens.issueLocation(other))
    const ask = () => bench.ghl.contacts.findOrCreate(locationId, '+15551230002', undefined)
    expect(await outcome(ask)).toBe('GHL_FORBIDDEN')
    expect(sandbox().calls({ status: 403 })).toHaveLength(1)
    expect(refreshes()).toBe(0)
  })

  it('or for a provider that is not ours', async () => {
    await installed({ providerId: '0123456789abcdef01234567' })
    expect(await outcome(addMessage)).toBe('GHL_FORBIDDEN')
    expect([refreshes(), attempts()]).toEqual([0, 1])
  })
})
