import { describe, expect, it } from 'vitest'
import { deliverToGhl } from '../../../src/bridge/whatsapp-to-ghl.ts'
import { GhlError, MediaError } from '../../../src/core/errors.ts'
import { customer, FILED, inboundWork, job, world } from './world.ts'

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
