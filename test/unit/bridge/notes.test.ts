import { describe, expect, it } from 'vitest'
import { giveUp, jobHandlers } from '../../../src/bridge/jobs.ts'
import { noteText, postNote } from '../../../src/bridge/notes.ts'
import type { NoteWork } from '../../../src/bridge/storage/message-rows.ts'
import { GhlError } from '../../../src/core/errors.ts'
import { parseGhlContactId } from '../../../src/core/ids.ts'
import { job, outboundWork, world } from './world.ts'

const note = job({ kind: 'note' })
const ERROR = {
  code: 'WA_NOT_ON_WHATSAPP',
  message: 'This phone number is not on WhatsApp',
  action: 'Check the number.',
}

function noteWork(over: Partial<NoteWork> = {}): NoteWork {
  const { row } = outboundWork({ kind: 'text', text: 'hello' })
  return {
    row: { ...row, state: 'failed', error: ERROR },
    says: 'died',
    origin: 'ghl',
    content: { kind: 'text', text: 'See you at 9' },
    ghlContactId: parseGhlContactId('ghl-ana'),
    ...over,
  }
}

describe('a note in the conversation', () => {
  it('is written once and remembered', async () => {
    const { deps, done, notes, state } = world()
    state.noteWork = noteWork()
    await jobHandlers(deps).note(note)
    expect(done).toEqual(['addNote', 'recordNote died'])
    expect(notes).toMatchObject([{ locationId: 'loc1', ghlContactId: 'ghl-ana' }])
  })

  it('is left out when there is nothing to say any more', async () => {
    const { deps, done } = world()
    await postNote(deps, note)
    expect(done).toEqual([])
  })

  it('is looked for before it is repeated', async () => {
    const { deps, done, state } = world()
    state.noteWork = noteWork()
    state.filedEarlier = true
    await postNote(deps, { ...note, attempts: 2, mayHaveHappened: true })
    expect(done).toEqual(['hasNote', 'recordNote died'])
    state.filedEarlier = false
    await postNote(deps, { ...note, attempts: 2, mayHaveHappened: true })
    expect(done.slice(2)).toEqual(['hasNote', 'addNote', 'recordNote died'])
  })

  it.each(['GHL_REJECTED', 'GHL_FORBIDDEN', 'GHL_CONTACT_NOT_FOUND'] as const)(
    'is left out for good when GHL refuses it with %s',
    async (code) => {
      const { deps, done, state, failNext } = world()
      state.noteWork = noteWork()
      failNext('addNote', new GhlError(code, 'no'))
      await postNote(deps, note)
      expect(done).toEqual(['addNote'])
    },
  )

  it('is tried again while GHL is down, and has no note about itself when given up', async () => {
    const { deps, done, state, failNext } = world()
    state.noteWork = noteWork()
    const down = new GhlError('GHL_UNAVAILABLE', 'down')
    failNext('addNote', down)
    await expect(postNote(deps, note)).rejects.toBe(down)
    await giveUp(deps, note, down)
    expect(done).toEqual(['addNote'])
  })
})

describe('the words of a note', () => {
  const fromWhatsApp = { ...noteWork().row, error: { code: 'GHL_REJECTED', message: 'GHL refused it' } }

  it.each<[string, Partial<NoteWork>, string]>([
    [
      'an agent’s message that died',
      {},
      'WhatsApp bridge: the message “See you at 9” was not sent. This phone number is not on WhatsApp. Check the number.',
    ],
    [
      'an agent’s file that died',
      { content: { kind: 'attachment', url: 'https://files.example/a.jpg', caption: 'the map' } },
      'WhatsApp bridge: a file (a.jpg) “the map” was not sent. This phone number is not on WhatsApp. Check the number.',
    ],
    [
      'an agent’s message that came through',
      { says: 'recovered' },
      'WhatsApp bridge: the message “See you at 9” was sent on WhatsApp after all.',
    ],
    [
      'a customer’s message that died',
      { origin: 'customer', row: fromWhatsApp },
      'WhatsApp bridge: the message “See you at 9” from this contact could not be brought here. It can be seen on the phone. GHL refused it.',
    ],
    [
      'a photo from the phone that died',
      {
        origin: 'phone',
        row: fromWhatsApp,
        content: { kind: 'media', media: { mediaKind: 'image', mimeType: 'image/jpeg', mediaKey: '' } },
      },
      'WhatsApp bridge: a file (image), typed on the phone, could not be brought here. It can be seen on the phone. GHL refused it.',
    ],
    [
      'a customer’s message that came through',
      { origin: 'customer', says: 'recovered' },
      'WhatsApp bridge: the message “See you at 9”, which could not be brought here at first, is in this conversation now.',
    ],
  ])('for %s', (_what, over, words) => {
    expect(noteText(noteWork(over))).toBe(words)
  })

  it('quote a long message only as far as it takes to know it, and never cut a character', () => {
    const words = noteText(noteWork({ content: { kind: 'text', text: `first\nline ${'🙂'.repeat(200)}` } }))
    expect(words).toContain('“first line 🙂')
    expect(words).toContain('🙂…”')
    expect(words.isWellFormed()).toBe(true)
    expect(words.length).toBeLessThan(300)
  })
})
