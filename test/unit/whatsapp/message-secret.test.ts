import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { proto } from '@whiskeysockets/baileys'
import { describe, expect, it } from 'vitest'
import { readable } from '../../../src/bridge/readable.ts'
import type { Original } from '../../../src/bridge/storage/message-rows.ts'
import { sealedIn, unseal } from '../../../src/whatsapp/message-secret.ts'
import { ANA_LID, ANA_PN, envelopeOf, ME, wired } from './converting.ts'

const SECRET = randomBytes(32)
const POLL: Original = {
  origin: 'phone',
  content: { kind: 'poll', question: 'Pizza?', options: ['Yes', 'No', '½ & ½'] },
  author: ME.lid,
  secret: SECRET.toString('base64'),
  composed: undefined,
}
const US = [ME.lid, ME.pn]
const THEM = [ANA_LID, ANA_PN]

interface Box {
  readonly label: string
  readonly author: string
  readonly sender: string
  readonly isBound: boolean
}

/** As the sender's phone encrypts. @see whatsmeow msgsecret.go */
function encrypt(plain: Uint8Array, { label, author, sender, isBound }: Box) {
  const key = Buffer.from(hkdfSync('sha256', SECRET, '', `A0${author}${sender}${label}`, 32))
  const encIv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, encIv)
  if (isBound) cipher.setAAD(Buffer.from(`A0\0${sender}`))
  const encPayload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { encPayload, encIv }
}

const hashOf = (option: string) => createHash('sha256').update(option).digest()

function voteFor(
  options: readonly string[],
  author: string = ME.lid,
  sender: string = ANA_PN,
): proto.IMessage {
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hashOf) }).finish()
  const vote = encrypt(plain, { label: 'Poll Vote', author, sender, isBound: true })
  return { pollUpdateMessage: { pollCreationMessageKey: { id: 'A0', fromMe: true }, vote } }
}

function textOf(
  message: proto.IMessage,
  original: Original | undefined,
  subject = original?.content,
): string {
  const box = sealedIn(wired(message))
  const unsealed = box && unseal(box, original, US, THEM)
  return readable(envelopeOf(message, { unsealed }), { content: subject })
}

describe('a vote', () => {
  it.each([
    [ME.lid, ANA_PN],
    [ME.lid, ANA_LID],
    [ME.pn, ANA_PN],
    [ME.pn, ANA_LID],
  ])('is opened whichever forms of the addresses it was made with: %s, %s', (author, sender) => {
    expect(textOf(voteFor(['No'], author, sender), POLL)).toBe('[Voted in “Pizza?”: No]')
  })

  it('names every option that was chosen, and one that nobody knows', () => {
    const text = textOf(voteFor(['Yes', '½ & ½', 'Maybe']), POLL)
    expect(text).toBe('[Voted in “Pizza?”: Yes, ½ & ½, an option that was added later]')
  })

  it('that is taken back says so', () => {
    expect(textOf(voteFor([]), POLL)).toBe('[Took back the vote in “Pizza?”]')
  })

  it('is read with the secret inside what we sent, and with its options', () => {
    const composed = proto.Message.encode({
      messageContextInfo: { messageSecret: SECRET },
      pollCreationMessageV3: { name: 'Lunch?', options: [{ optionName: 'Yes' }, { optionName: 'No' }] },
    }).finish()
    const content = { kind: 'text', text: 'Lunch?' } as const
    const sent: Original = { origin: 'ghl', content, author: undefined, secret: undefined, composed }
    expect(textOf(voteFor(['Yes']), sent)).toBe('[Voted in “Lunch?”: Yes]')
  })

  it('in a poll that nobody carried, or under another key, is told without its choice', () => {
    expect(textOf(voteFor(['Yes']), undefined)).toBe('[Voted in a poll. The vote can be seen on the phone.]')
    const foreign = { ...POLL, secret: randomBytes(32).toString('base64') }
    expect(textOf(voteFor(['Yes']), foreign)).toBe('[Voted in “Pizza?”. The vote can be seen on the phone.]')
    const tampered = voteFor(['Yes'])
    const { vote } = tampered.pollUpdateMessage ?? {}
    if (vote?.encPayload) vote.encPayload[0] = (vote.encPayload[0] ?? 0) ^ 1
    expect(textOf(tampered, POLL)).toContain('The vote can be seen on the phone.')
  })

  it.each([
    ['no payload', {}],
    ['too short a payload', { encPayload: Buffer.alloc(3), encIv: Buffer.alloc(12) }],
    ['an odd nonce', { encPayload: Buffer.alloc(40), encIv: Buffer.alloc(1) }],
  ])('with %s does no harm', (_what, vote) => {
    const message = { pollUpdateMessage: { pollCreationMessageKey: { id: 'A0' }, vote } }
    expect(textOf(message, POLL)).toMatch(/^\[Voted in /)
  })
})

describe('other things that are encrypted apart', () => {
  const words: Original = { ...POLL, content: { kind: 'text', text: 'See you at 5' } }
  const sealedAs = (label: string, plain: Uint8Array, isBound = false) =>
    encrypt(plain, { label, author: ME.pn, sender: ANA_LID, isBound })

  it('an edit', () => {
    const plain = proto.Message.encode({ conversation: 'See you at 6' }).finish()
    const secretEncryptedMessage = {
      ...sealedAs('Message Edit', plain),
      targetMessageKey: { id: 'A0' },
      secretEncType: proto.Message.SecretEncryptedMessage.SecretEncType.MESSAGE_EDIT,
    }
    expect(textOf({ secretEncryptedMessage }, words)).toBe('[Edited, it was “See you at 5”]\nSee you at 6')
    expect(textOf({ secretEncryptedMessage }, undefined)).toBe(
      '[Edited a message. The new words can be seen on the phone.]',
    )
  })

  it('a reaction', () => {
    const plain = proto.Message.ReactionMessage.encode({ text: '👍' }).finish()
    const encReactionMessage = { ...sealedAs('Enc Reaction', plain), targetMessageKey: { id: 'A0' } }
    expect(textOf({ encReactionMessage }, words)).toBe('[Reacted 👍 to “See you at 5”]')
  })

  it.each([
    [1, '[Is coming to an event: [Event] Open day]'],
    [2, '[Is not coming to an event: [Event] Open day]'],
    [3, '[May be coming to an event: [Event] Open day]'],
  ])('a response %i to an event', (response, text) => {
    const plain = proto.Message.EventResponseMessage.encode({ response }).finish()
    const sealed = sealedAs('Event Response', plain, true)
    const encEventResponseMessage = { ...sealed, eventCreationMessageKey: { id: 'A0' } }
    const content = { kind: 'notice', waKind: 'eventMessage', text: '[Event]\nOpen day' } as const
    expect(textOf({ encEventResponseMessage }, { ...words, content })).toBe(text)
  })
})
