import { describe, expect, it } from 'vitest'
import {
  type AcceptedFromGhl,
  acceptFromGhl,
  deliverToWhatsApp,
} from '../../../src/bridge/ghl-to-whatsapp.ts'
import type { InstallationRow, InstallationStore } from '../../../src/bridge/installations.ts'
import type { MessageError } from '../../../src/bridge/storage/message-rows.ts'
import type { MessageStore } from '../../../src/bridge/storage/messages.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { parseGhlContactId, parseGhlMessageId } from '../../../src/core/ids.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { job, LOCATION, outboundWork, session, WA_ID, world } from './world.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const ago = (ms: number): Date => new Date(NOW - ms)

/** What becomes of a message that was written `ageMs` before it reaches us. */
async function accept(
  writtenAt: Date | undefined,
  {
    installedAt = new Date(0),
    holdAfterMinutes = 60,
  }: { installedAt?: Date; holdAfterMinutes?: number } = {},
): Promise<{ outcome: AcceptedFromGhl; held: MessageError | undefined; storedAs: Date | undefined }> {
  const seen: { held?: MessageError; storedAs?: Date } = {}
  const messages: Pick<MessageStore, 'acceptOutbound'> = {
    acceptOutbound: (message, _parts, held) => {
      if (held !== undefined) seen.held = held
      if (message.writtenAt !== undefined) seen.storedAs = message.writtenAt
      return Promise.resolve(held === undefined ? 'enqueued' : 'held')
    },
  }
  const installation = { status: 'active', installedAt } as InstallationRow // all that is looked at
  const outcome = await acceptFromGhl(
    {
      messages: messages as MessageStore, // all that is called
      installations: { findByLocation: () => Promise.resolve(installation) } as unknown as InstallationStore, // as above
      settings: { read: () => Promise.resolve({ ...DEFAULT_SETTINGS, holdAfterMinutes }) },
      numbers: { newMessageId: () => WA_ID },
      nudge: () => undefined,
      clock: { ...systemClock, nowMs: () => NOW },
    },
    {
      locationId: LOCATION,
      ghlMessageId: parseGhlMessageId('g1'),
      ghlContactId: parseGhlContactId('c1'),
      text: 'hello',
      attachments: [],
      ...(writtenAt !== undefined && { writtenAt }),
    },
    [{ kind: 'text', text: 'hello' }],
  )
  return { outcome, held: seen.held, storedAs: seen.storedAs }
}

describe('a message that reaches us late', () => {
  it.each([
    ['half an hour', HOUR_MS / 2, 'enqueued'],
    ['exactly an hour', HOUR_MS, 'enqueued'],
    ['an hour and a millisecond', HOUR_MS + 1, 'held'],
    ['three days', 72 * HOUR_MS, 'held'],
    ['less than nothing, by clocks that differ', -5 * MINUTE_MS, 'enqueued'],
  ])('by %s is %3$s', async (_age, ageMs, outcome) => {
    const accepted = await accept(ago(ageMs))
    expect(accepted.outcome).toBe(outcome)
    expect(accepted.storedAs).toEqual(ago(ageMs))
  })

  it('is held by its own word of age, and says why and what can be done', async () => {
    const { held } = await accept(ago(2 * HOUR_MS))
    expect(held).toMatchObject({ code: 'HELD_TOO_OLD', action: expect.stringContaining('retry') as string })
  })

  it('counts as written now when GHL does not say when', async () => {
    expect(await accept(undefined)).toEqual({ outcome: 'enqueued', held: undefined, storedAs: new Date(NOW) })
  })

  it('is held after another time when the location wants it so', async () => {
    const late = ago(5 * MINUTE_MS)
    expect((await accept(late, { holdAfterMinutes: 5 })).outcome).toBe('enqueued')
    expect((await accept(late, { holdAfterMinutes: 4 })).outcome).toBe('held')
  })

  it('is held when it is older than the installation, by however little', async () => {
    const installedAt = ago(MINUTE_MS)
    expect((await accept(installedAt, { installedAt })).outcome).toBe('enqueued')
    const { held } = await accept(ago(MINUTE_MS + 1), { installedAt })
    expect(held?.code).toBe('HELD_BEFORE_INSTALL')
  })
})

describe('a message older than the pairing of its number', () => {
  const pairedAt = ago(10 * MINUTE_MS)
  const outbound = job({ kind: 'outbound' })

  async function deliver(written: Date, reached: Date, over: { isReleased?: boolean } = {}) {
    const { deps, done, state } = world()
    const work = outboundWork({ kind: 'text', text: 'hello' }, { writtenAt: written, ...over })
    state.outboundWork = { ...work, row: { ...work.row, createdAt: reached } }
    state.sessions = [session({ pairedAt })]
    await deliverToWhatsApp(deps, outbound)
    return done
  }

  it('is held when it reached us after the pairing, and nothing is sent', async () => {
    expect(await deliver(ago(10 * MINUTE_MS + 1), ago(0))).toEqual(['hold HELD_BEFORE_PAIRING'])
  })

  it('is sent when it was written at the very moment of the pairing, or later', async () => {
    expect(await deliver(pairedAt, ago(0))).toContain('send s1 98765@lid WA1')
  })

  it('is sent when it reached us before the pairing: it has waited for the number', async () => {
    const done = await deliver(ago(12 * MINUTE_MS), ago(10 * MINUTE_MS + 1))
    expect(done).toContain('send s1 98765@lid WA1')
  })

  it('is sent when a person has said so', async () => {
    const done = await deliver(ago(20 * MINUTE_MS), ago(0), { isReleased: true })
    expect(done).toContain('send s1 98765@lid WA1')
  })
})
