import { describe, expect, it } from 'vitest'
import { readable } from '../../../src/bridge/readable.ts'
import { fromWhatsApp } from '../../../src/whatsapp/from-whatsapp.ts'
import { placeholderIdOf, waIdOf } from '../../../src/whatsapp/wa-id.ts'
import { ODD_SHAPES } from '../../fixtures/whatsapp/odd-shapes.ts'
import { ANA_LID, ME, messageWith, RECEIVER } from './converting.ts'

const NOW = new Date('2026-11-21T12:00:00Z')

describe('odd messages from the wild', () => {
  it.each(Object.entries(ODD_SHAPES))('%s', (_what, { over, text, ignored }) => {
    const message = { ...messageWith(null), ...over }
    const converted = fromWhatsApp(message, { receiver: RECEIVER, author: ANA_LID, me: ME, now: NOW })
    if ('ignored' in converted) expect(converted).toEqual({ ignored })
    else expect(readable(converted.envelope)).toBe(text)
  })

  it('without a time is from now, with one as a Long from then', () => {
    const sentAt = (messageTimestamp: unknown) => {
      const message = { ...messageWith({ conversation: 'x' }), messageTimestamp: messageTimestamp as number }
      const converted = fromWhatsApp(message, { receiver: RECEIVER, author: ANA_LID, me: ME, now: NOW })
      return 'envelope' in converted ? converted.envelope.sentAt : undefined
    }
    for (const none of [null, undefined, 0, -1, Number.NaN, 'soon']) expect(sentAt(none)).toEqual(NOW)
    expect(sentAt({ low: 1_700_000_000, high: 0, unsigned: true })).toEqual(new Date(1_700_000_000_000))
  })

  it('a name that shows nothing is none', () => {
    const message = { ...messageWith({ conversation: 'x' }), pushName: '\0 \u0007' }
    const converted = fromWhatsApp(message, { receiver: RECEIVER, author: ANA_LID, me: ME })
    expect('envelope' in converted && converted.envelope).not.toHaveProperty('pushName')
  })
})

describe('ids of the wire', () => {
  it.each(['3EB0AB12', 'false_15551230001@c.us_3A', '3A-1.b=/+', "x';drop--"])('%s stays as it is', (id) => {
    expect(waIdOf(id)).toBe(id)
  })

  it.each(['', ' ', 'a b', 'a\0', 'é', '\ud83d', 'x'.repeat(129)])(
    '%j becomes a digest, the same each time',
    (id) => {
      expect(waIdOf(id)).toMatch(/^odd-[\w-]{43}$/)
      expect(waIdOf(id)).toBe(waIdOf(id))
    },
  )

  it('two odd ones stay two', () => {
    expect(waIdOf('a\0')).not.toBe(waIdOf('a\0\0'))
  })

  it('a placeholder never has the id of its message, however long that is', () => {
    for (const id of ['3EB0', 'x'.repeat(128)]) expect(placeholderIdOf(waIdOf(id))).not.toBe(waIdOf(id))
  })
})
