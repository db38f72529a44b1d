import { describe, expect, it } from 'vitest'
import type { Original } from '../../../src/bridge/storage/message-rows.ts'
import { acceptFromWhatsApp, deliverToGhl } from '../../../src/bridge/whatsapp-to-ghl.ts'
import { GhlError, MediaError } from '../../../src/core/errors.ts'
import { parseWaMessageId, type WaMessageId } from '../../../src/core/ids.ts'
import type { Envelope } from '../../../src/core/message.ts'
import { customer, FILED, inboundWork, job, WA_ID, world } from './world.ts'

const ORIGINAL: Original = {
  origin: 'customer',
  content: { kind: 'text', text: 'it' },
  author: '98765@lid',
  secret: undefined,
  composed: undefined,
}

const PHOTO = {
  kind: 'media',
  caption: 'look',
  media: { mediaKind: 'image', mimeType: 'image/jpeg', mediaKey: '' },
} as const

describe('a WhatsApp message on its way to GHL', () => {
  it('of the past goes behind live traffic, dated however young it is', async () => {
    const { deps, done, inbound, state } = world()
    const sentAt = new Date()
    state.inboundWork = inboundWork({ kind: 'text', text: 'old' }, { sentAt, isHistory: true })
    await deliverToGhl(deps, job())
    expect(done).toEqual(['behindLive', 'addInbound', `recordFiled ${FILED.ghlMessageId}`])
    expect(inbound).toMatchObject([{ text: 'old', sentAt }])
  })

  it('of the past names a new contact as he named himself, though its first message is ours', async () => {
    const { deps, done, state } = world()
    const ours = { fromMe: true, pushName: 'Our Shop', isHistory: true }
    state.inboundWork = inboundWork({ kind: 'text', text: 'hi' }, ours, customer({ ghlContactId: undefined }))
    await deliverToGhl(deps, job())
    expect(done[1]).toBe('findOrCreate +15551230001 Ana')
  })

  it('costs one call when the contact is known, and is recorded where GHL filed it', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = inboundWork({ kind: 'text', text: 'hello' })
    await deliverToGhl(deps, job())
    expect(done).toEqual(['addInbound', `recordFiled ${FILED.ghlMessageId}`])
    expect(inbound).toMatchObject([{ direction: 'inbound', altId: 'WA1', text: 'hello', attachments: [] }])
    expect(inbound[0]).not.toHaveProperty('sentAt')
  })

  it('makes the contact of a first message by number, with the push name, and remembers it', async () => {
    const { deps, done, state } = world()
    state.inboundWork = inboundWork(
      { kind: 'text', text: 'hello' },
      {},
      customer({ ghlContactId: undefined }),
    )
    await deliverToGhl(deps, job())
    expect(done.slice(0, 2)).toEqual(['findOrCreate +15551230001 Ana', 'linkGhl ghl-found'])
  })

  it('never takes the digits of a LID for a phone', async () => {
    const { deps, done, state } = world()
    state.inboundWork = inboundWork(
      { kind: 'text', text: 'hi' },
      {},
      customer({ ghlContactId: undefined, pn: undefined }),
    )
    await deliverToGhl(deps, job())
    expect(done[0]).toBe('findOrCreate undefined Ana')
  })

  it('logs what was typed on the phone as outbound and never renames the contact after us', async () => {
    const { deps, done, inbound, state } = world()
    const us = { fromMe: true, pushName: 'Our Shop' }
    state.inboundWork = inboundWork({ kind: 'text', text: 'hi' }, us, customer({ ghlContactId: undefined }))
    await deliverToGhl(deps, job())
    expect(done[0]).toBe('findOrCreate +15551230001 undefined')
    expect(inbound[0]?.direction).toBe('outbound')
  })

  it('dates a late message, so that a backlog stands in the thread where it belongs', async () => {
    const { deps, inbound, state } = world()
    const sentAt = new Date(Date.now() - 3_600_000)
    state.inboundWork = inboundWork({ kind: 'text', text: 'old' }, { sentAt })
    await deliverToGhl(deps, job())
    expect(inbound[0]?.sentAt).toEqual(sentAt)
  })

  it('looks for an earlier attempt that may have arrived before it adds anything', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = inboundWork({ kind: 'text', text: 'hello' })
    state.filedEarlier = true
    await deliverToGhl(deps, job({ attempts: 2, mayHaveHappened: true }))
    expect(done).toEqual(['findByAltId', `recordFiled ${FILED.ghlMessageId}`])
    expect(inbound).toHaveLength(0)
  })

  it('adds it after all when the earlier attempt did not arrive', async () => {
    const { deps, done, state } = world()
    state.inboundWork = inboundWork({ kind: 'text', text: 'hello' })
    await deliverToGhl(deps, job({ attempts: 2, mayHaveHappened: true }))
    expect(done).toEqual(['findByAltId', 'addInbound', `recordFiled ${FILED.ghlMessageId}`])
  })

  it('does nothing for a message that is recorded as filed: the crash came after step 6', async () => {
    const { deps, done, state } = world()
    const work = inboundWork({ kind: 'text', text: 'hello' })
    state.inboundWork = { ...work, row: { ...work.row, ghlMessageId: FILED.ghlMessageId } }
    await deliverToGhl(deps, job({ attempts: 2, mayHaveHappened: true }))
    expect(done).toEqual([])
  })

  it('finds the survivor of a merged contact and files there, once', async () => {
    const { deps, done, inbound, state, failNext } = world()
    state.inboundWork = inboundWork({ kind: 'text', text: 'hello' })
    failNext('addInbound', new GhlError('GHL_CONTACT_NOT_FOUND', 'gone'))
    await deliverToGhl(deps, job())
    expect(done).toContain('unlinkGhl ghl-ana')
    expect(inbound[0]?.ghlContactId).toBe('ghl-found')
  })

  it('carries a photo with its caption in two calls', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = inboundWork(PHOTO)
    await deliverToGhl(deps, job())
    expect(done.slice(0, 3)).toEqual(['openMedia', 'upload', 'addInbound'])
    expect(inbound[0]).toMatchObject({ text: 'look', attachments: ['https://files.example/photo.jpg'] })
  })

  it('tries for a file again, but in the end lets the caption go without it and says so', async () => {
    const { deps, inbound, state, failNext } = world()
    state.inboundWork = inboundWork(PHOTO)
    const failure = new MediaError('MEDIA_FETCH_FAILED', 'the media host does not answer')
    failNext('openMedia', failure, failure)
    await expect(deliverToGhl(deps, job({ attempts: 1 }))).rejects.toBe(failure)
    await deliverToGhl(deps, job({ attempts: 6 }))
    expect(inbound[0]?.text).toMatch(/^look\n\n\[Sent an image, but it could not be carried over/)
    expect(inbound[0]?.attachments).toEqual([])
  })

  it('does not try again for a file that is gone', async () => {
    const { deps, inbound, state, failNext } = world()
    state.inboundWork = inboundWork(PHOTO)
    failNext('openMedia', new MediaError('MEDIA_GONE', 'WhatsApp no longer has it'))
    await deliverToGhl(deps, job({ attempts: 1 }))
    expect(inbound).toHaveLength(1)
  })
})

describe('a message that is about another one', () => {
  const reaction = { kind: 'reaction', of: WA_ID, emoji: '❤️' } as const

  it('is told with the words that the store knows', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = inboundWork(reaction)
    state.original = { ...ORIGINAL, content: { kind: 'text', text: 'See you at 5' } }
    await deliverToGhl(deps, job())
    expect(done.slice(0, 2)).toEqual(['findOriginal', 'addInbound'])
    expect(inbound[0]?.text).toBe('[Reacted ❤️ to “See you at 5”]')
  })

  it('is told all the same when nobody knows them', async () => {
    const { deps, inbound, state } = world()
    state.inboundWork = inboundWork(reaction)
    await deliverToGhl(deps, job())
    expect(inbound[0]?.text).toBe('[Reacted ❤️ to a message]')
  })
})

describe('contact cards', () => {
  const cards = {
    kind: 'contacts',
    cards: [{ vcard: 'BEGIN:VCARD\nFN:Bo\nEND:VCARD' }, { name: 'Cy', vcard: '' }],
  } as const

  it('are read out, and attached where there is a card', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = inboundWork(cards)
    await deliverToGhl(deps, job())
    expect(done.slice(0, 2)).toEqual(['upload', 'addInbound'])
    expect(inbound[0]).toMatchObject({
      text: '[2 contact cards]\nBo\n\nCy',
      attachments: ['https://files.example/photo.jpg'],
    })
  })

  it('go without the card that GHL refuses for good, and wait for one that it may still take', async () => {
    const { deps, inbound, state, failNext } = world()
    state.inboundWork = inboundWork(cards)
    const away = new GhlError('GHL_UNAVAILABLE', 'away')
    failNext('upload', away, new GhlError('GHL_REJECTED', 'no cards'))
    await expect(deliverToGhl(deps, job())).rejects.toBe(away)
    await deliverToGhl(deps, job())
    expect(inbound[0]?.attachments).toEqual([])
  })
})

describe('the placeholder of a message that cannot be read yet', () => {
  const placeholderOf = (createdMsAgo: number) => {
    const work = inboundWork({ kind: 'placeholder', of: WA_ID })
    return { ...work, row: { ...work.row, createdAt: new Date(Date.now() - createdMsAgo) } }
  }

  it('waits a moment first', async () => {
    const { deps, inbound, state } = world()
    state.inboundWork = placeholderOf(0)
    await expect(deliverToGhl(deps, job())).rejects.toMatchObject({ code: 'WA_MESSAGE_PENDING' })
    expect(inbound).toEqual([])
  })

  it.each([
    ['when the moment is over', 6_000],
    ['at once where the clocks disagree', -60_000],
  ])('is shown %s', async (_when, createdMsAgo) => {
    const { deps, inbound, state } = world()
    state.inboundWork = placeholderOf(createdMsAgo)
    await deliverToGhl(deps, job())
    expect(inbound[0]?.text).toMatch(/^\[A message is on its way\./)
  })

  it('is dropped when the message has come', async () => {
    const { deps, done, inbound, state } = world()
    state.inboundWork = placeholderOf(0)
    state.original = ORIGINAL
    await deliverToGhl(deps, job())
    expect(done).toEqual(['findOriginal', 'dropPlaceholder'])
    expect(inbound).toEqual([])
  })
})

describe('taking a message in', () => {
  const accepting = (outcome: 'enqueued' | 'duplicate', isOurs = false) => {
    const { deps } = world()
    const ignored: string[] = []
    const woken: string[] = []
    const announced = new Set<WaMessageId>()
    const accept = (envelope: Envelope) =>
      acceptFromWhatsApp(
        {
          messages: {
            ...deps.messages,
            acceptInbound: () => Promise.resolve(outcome),
            isOurs: () => Promise.resolve(isOurs),
          },
          onIgnored: (reason) => ignored.push(reason),
          nudge: () => undefined,
          wake: (location) => Promise.resolve(void woken.push(location)),
          announced,
        },
        envelope,
      )
    return { accept, ignored, woken, announced }
  }

  it('counts what we sent ourselves and hear again', async () => {
    const { accept, ignored } = accepting('duplicate', true)
    await accept(inboundWork({ kind: 'text', text: 'hi' }, { fromMe: true }).envelope)
    expect(ignored).toEqual(['own_echo'])
    const other = accepting('duplicate', false)
    await other.accept(inboundWork({ kind: 'text', text: 'hi' }, { fromMe: true }).envelope)
    expect(other.ignored).toEqual([])
  })

  it('lets a chat go on that waited for this very message, and only then', async () => {
    const { accept, woken, announced } = accepting('enqueued')
    await accept(inboundWork({ kind: 'placeholder', of: WA_ID }).envelope)
    await accept(
      inboundWork({ kind: 'text', text: 'another' }, { waMessageId: parseWaMessageId('WA2') }).envelope,
    )
    expect(woken).toEqual([])
    await accept(inboundWork({ kind: 'text', text: 'it' }).envelope)
    expect(woken).toHaveLength(1)
    expect(announced.size).toBe(0)
  })
})
