import { describe, expect, it } from 'vitest'
import { deliverToWhatsApp } from '../../../src/bridge/ghl-to-whatsapp.ts'
import { giveUp } from '../../../src/bridge/jobs.ts'
import { pushStatusToGhl } from '../../../src/bridge/receipts.ts'
import { MediaError, WhatsAppError } from '../../../src/core/errors.ts'
import { parseSessionId, pnOfPhone } from '../../../src/core/ids.ts'
import type { OutboundPart } from '../../../src/core/message.ts'
import { customer, job, outboundWork, SESSION, session, WA_ID, world } from './world.ts'

const TEXT = { kind: 'text', text: 'hello' } as const
const outbound = job({ kind: 'outbound' })

describe('a GHL message on its way to WhatsApp', () => {
  it('is stored composed before it is sent, and is sent only when the server has acknowledged it', async () => {
    const { deps, done, state } = world()
    state.outboundWork = outboundWork(TEXT)
    await deliverToWhatsApp(deps, outbound)
    expect(done).toEqual(['compose', 'reserve s1 98765@lid', 'send s1 98765@lid WA1', 'advance WA1 sent'])
  })

  it('repeats the very same bytes when an earlier attempt may have left', async () => {
    const { deps, done, state } = world()
    const work = outboundWork(TEXT, { composed: new Uint8Array([9]) })
    state.outboundWork = { ...work, row: { ...work.row, chat: '98765@lid' } }
    await deliverToWhatsApp(deps, { ...outbound, attempts: 2, mayHaveHappened: true })
    expect(done).toEqual(['send s1 98765@lid WA1', 'advance WA1 sent'])
  })

  it('may leave by a better number when it certainly was not sent', async () => {
    const { deps, done, state } = world()
    const work = outboundWork(TEXT, { composed: new Uint8Array([9]) })
    state.outboundWork = { ...work, row: { ...work.row, chat: '98765@lid' } }
    await deliverToWhatsApp(deps, { ...outbound, attempts: 2 })
    expect(done[0]).toBe('compose')
  })

  it('waits for a number that is not ready, and for a location without any', async () => {
    const { deps, state } = world()
    state.outboundWork = outboundWork(TEXT)
    state.ready = false
    await expect(deliverToWhatsApp(deps, outbound)).rejects.toMatchObject({
      code: 'WA_OFFLINE',
      disposition: 'park',
    })
    state.sessions = []
    await expect(deliverToWhatsApp(deps, outbound)).rejects.toMatchObject({
      code: 'WA_NO_SESSION',
      disposition: 'park',
    })
  })

  it('asks WhatsApp about the number of a first contact and remembers the answer', async () => {
    const { deps, done, state } = world()
    state.outboundWork = outboundWork(TEXT, { contact: undefined })
    await deliverToWhatsApp(deps, outbound)
    expect(done.slice(0, 3)).toEqual([
      'findOnWhatsApp 15551230001@s.whatsapp.net',
      'settle 98765@lid',
      'compose',
    ])
  })

  it('believes a number that was corrected in GHL, until somebody has written from the former one', async () => {
    const stranger = { pn: pnOfPhone('+15559990000') }
    const { deps, done, state } = world()
    state.outboundWork = outboundWork(TEXT, { contact: { ...customer(), ...stranger }, hasWritten: false })
    await deliverToWhatsApp(deps, outbound)
    expect(done.slice(0, 4)).toEqual([
      'unlinkGhl ghl-ana',
      'findOnWhatsApp 15551230001@s.whatsapp.net',
      'settle 98765@lid',
      'compose',
    ])
    for (const over of [{ hasWritten: true }, { hasWritten: false, phone: undefined }]) {
      const later = world()
      later.state.outboundWork = outboundWork(TEXT, { contact: { ...customer(), ...stranger }, ...over })
      await deliverToWhatsApp(later.deps, outbound)
      expect(later.done[0]).toBe('compose')
    }
  })

  it('fails in words when the number is not on WhatsApp or there is none', async () => {
    const { deps, state } = world()
    state.outboundWork = outboundWork(TEXT, { contact: undefined })
    state.onWhatsApp = false
    await expect(deliverToWhatsApp(deps, outbound)).rejects.toMatchObject({ code: 'WA_NOT_ON_WHATSAPP' })
    state.outboundWork = outboundWork(TEXT, { contact: undefined, phone: undefined })
    await expect(deliverToWhatsApp(deps, outbound)).rejects.toMatchObject({ code: 'WA_NO_ADDRESS' })
  })

  it('carries an attachment with its caption', async () => {
    const { deps, composed, state } = world()
    state.outboundWork = outboundWork({
      kind: 'attachment',
      url: 'https://files.example/a.jpg',
      caption: 'look',
    })
    await deliverToWhatsApp(deps, outbound)
    expect(composed).toMatchObject([{ kind: 'file', caption: 'look', file: { fileName: 'photo.jpg' } }])
  })

  describe('whose file cannot be had', () => {
    const file = { kind: 'attachment', url: 'https://files.example/a.jpg' } as const
    const captioned = { ...file, caption: 'look' } as const
    const gone = new MediaError('MEDIA_GONE', 'gone')
    const later = new MediaError('MEDIA_FETCH_FAILED', 'not now')
    const opening = `open ${file.url}`

    const deliver = async (part: OutboundPart, error: Error, attempts = 1) => {
      const { deps, done, state, failNext } = world()
      state.outboundWork = outboundWork(part)
      deps.messages.splitCaption = (_id, waMessageId) => {
        done.push(`splitCaption ${waMessageId}`)
        state.outboundWork = outboundWork({ kind: 'text', text: 'look' })
        return Promise.resolve()
      }
      failNext(opening, error)
      const outcome = await deliverToWhatsApp(deps, { ...outbound, attempts }).catch(
        (thrown: unknown) => thrown,
      )
      return { done, outcome }
    }

    it('sends the words alone when the file is refused', async () => {
      const { done, outcome } = await deliver(captioned, gone)
      expect(outcome).toBeUndefined()
      expect(done.slice(1)).toEqual([
        'splitCaption WA1',
        'compose',
        'reserve s1 98765@lid',
        'send s1 98765@lid WA1',
        'advance WA1 sent',
      ])
    })

    it('waits once for a file that is only late, then lets the words go', async () => {
      expect((await deliver(captioned, later)).outcome).toBe(later)
      expect((await deliver(captioned, later, 2)).outcome).toBeUndefined()
    })

    it('gives a file without words up after some minutes, so that the chat goes on', async () => {
      expect((await deliver(file, later, 7)).outcome).toBe(later)
      expect((await deliver(file, later, 8)).outcome).toMatchObject({
        code: 'MEDIA_GONE',
        disposition: 'dead',
      })
    })
  })

  it('quotes what it answers, unless another number has that', async () => {
    const { deps, composed, state } = world()
    const quote = { waMessageId: WA_ID, author: '98765@lid', original: { content: TEXT } }
    state.outboundWork = outboundWork({ ...TEXT, replyTo: 'WAQ' })
    state.quoted = { sessionId: SESSION, quote }
    await deliverToWhatsApp(deps, outbound)
    state.quoted = { sessionId: parseSessionId('s2'), quote }
    await deliverToWhatsApp(deps, outbound)
    expect(composed).toEqual([{ ...TEXT, quote }, TEXT])
  })

  it.each(['sent', 'delivered', 'read', 'failed', 'held', 'ignored'] as const)(
    'does nothing for a message that is %s already',
    async (done) => {
      const { deps, state, done: steps } = world()
      const work = outboundWork(TEXT)
      state.outboundWork = { ...work, row: { ...work.row, state: done } }
      await deliverToWhatsApp(deps, { ...outbound, attempts: 2, mayHaveHappened: true })
      expect(steps).toEqual([])
    },
  )

  it('leaves by the number the person wrote to last', async () => {
    const { deps, done, state } = world()
    state.sessions = [session({ sessionId: 's0' as typeof SESSION }), session()]
    state.outboundWork = outboundWork(TEXT)
    await deliverToWhatsApp(deps, outbound)
    expect(done).toContain('send s1 98765@lid WA1')
  })
})

describe('what GHL is told', () => {
  const status = job({ kind: 'ghl_status', subject: 'loc1/g1' })

  it('is the furthest state reached, and nothing while there is nothing to tell', async () => {
    const { deps, statuses, state } = world()
    await pushStatusToGhl(deps, status)
    state.ghlStatus = { status: 'pending' }
    await pushStatusToGhl(deps, status)
    expect(statuses).toEqual([])
    state.ghlStatus = { status: 'read' }
    await pushStatusToGhl(deps, status)
    expect(statuses).toEqual([{ locationId: 'loc1', ghlMessageId: 'g1', status: 'read' }])
  })

  it('is failed with a reason that an agent understands, when a message was given up', async () => {
    const { deps, done, statuses, failures, state } = world()
    const refusal = new WhatsAppError('WA_NOT_ON_WHATSAPP', 'This phone number is not on WhatsApp', {
      action: 'Check the number.',
    })
    await giveUp(deps, outbound, refusal)
    expect(failures).toEqual([
      {
        code: 'WA_NOT_ON_WHATSAPP',
        message: refusal.message,
        action: 'Check the number.',
        mayHaveHappened: false,
      },
    ])
    state.ghlStatus = { status: 'failed', error: failures[0] ?? { code: '', message: '' } }
    await pushStatusToGhl(deps, status)
    expect(statuses[0]?.error).toEqual({
      code: 'WA_NOT_ON_WHATSAPP',
      type: 'whatsapp',
      message: 'This phone number is not on WhatsApp. Check the number.',
    })
    // Failed is final at GHL: from now on it is told nothing else.
    expect(done.at(-1)).toBe('recordToldFailed g1')
  })
})
