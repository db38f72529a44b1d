/** Every kind that customers send, from a simulated phone through the unmodified Baileys to what stands in GHL. */
import { createHash, randomBytes } from 'node:crypto'
import { proto } from '@whiskeysockets/baileys'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePhoto } from '../../sandbox/sample-photo.ts'
import { Stage } from '../../sandbox/stage.ts'
import type { OutgoingMessage } from '../../sandbox/whatsapp/phone-outbox.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

let stage: Stage
let locationId: string

beforeAll(async () => {
  stage = await Stage.set()
  stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
  stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
  locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
  await stage.bridge.start()
  await stage.install(locationId)
  await stage.pair(locationId, OWNER)
})
afterAll(async () => {
  await stage.strike()
})

type Content = Omit<OutgoingMessage, 'to'>

const filed = (altId: string) =>
  stage.ghl.waitForMessage((message) => message.altId === altId, {
    locationId,
    timeoutMs: 20_000,
    what: altId,
  })
async function fromAna(content: Content) {
  const id = await stage.whatsapp.send(ANA, { to: OWNER, ...content })
  return { waId: id, ...(await filed(id)) }
}
const filesOf = async (attachments: readonly string[]) =>
  await Promise.all(
    attachments.map(async (url) => {
      const answer = await fetch(url)
      return { url, bytes: new Uint8Array(await answer.arrayBuffer()) }
    }),
  )
const countOf = (altId: string) =>
  stage.ghl.messages(locationId).filter((message) => message.altId === altId).length

describe('text', () => {
  it.each<[string, Content, string]>([
    [
      'with formatting and other scripts',
      { text: '*bold* _it_ ~no~ 👩‍👩‍👧 مرحبا' },
      '*bold* _it_ ~no~ 👩‍👩‍👧 مرحبا',
    ],
    ['that disappears', { text: 'Gone tomorrow', ephemeralSeconds: 86_400 }, 'Gone tomorrow'],
    [
      'with the preview of a link',
      {
        message: {
          extendedTextMessage: { text: 'https://a.test/x', title: 'A page', description: 'About it' },
        },
      },
      'https://a.test/x\n[A page – About it]',
    ],
  ])('%s', async (_what, content, body) => {
    expect((await fromAna(content)).body).toBe(body)
  })

  it('long, whole', async () => {
    const text = `${'word '.repeat(2_000)}end`
    expect((await fromAna({ text })).body).toBe(text)
  })

  it('costs one call to GHL, whatever it is', async () => {
    stage.ghl.forget()
    await fromAna({ location: { latitude: 1, longitude: 2 } })
    expect(stage.ghl.calls().map(({ route }) => route)).toEqual(['POST /conversations/messages/inbound'])
  })
})

describe('files', () => {
  const bytes = randomBytes(20_000)

  it.each<[string, Content['media'], string, RegExp]>([
    [
      'a video with caption',
      { kind: 'video', bytes, mimetype: 'video/mp4', caption: 'See' },
      'See',
      /\.mp4$/,
    ],
    ['a GIF', { kind: 'video', bytes, mimetype: 'video/mp4', gif: true }, '', /\.mp4$/],
    [
      'a round video',
      { kind: 'video', bytes, mimetype: 'video/mp4', videoNote: true, seconds: 4 },
      '',
      /\.mp4$/,
    ],
    ['audio', { kind: 'audio', bytes, mimetype: 'audio/mpeg' }, '', /\.mp3$/],
    [
      'a voice note',
      { kind: 'audio', bytes, mimetype: 'audio/ogg; codecs=opus', voiceNote: true, seconds: 12 },
      '[Voice note, 0:12]',
      /\.ogg$/,
    ],
    [
      'a document under its own name',
      {
        kind: 'document',
        bytes,
        mimetype: 'application/pdf',
        fileName: 'Rechnung 7.pdf',
        caption: 'For you',
      },
      'For you',
      /Rechnung-7-\w+\.pdf$/,
    ],
  ])('%s, byte for byte', async (_what, media, body, name) => {
    if (media === undefined) throw new Error('no file')
    stage.ghl.forget()
    const message = await fromAna({ media })
    expect(message.body).toBe(body)
    const [file] = await filesOf(message.attachments)
    expect(file?.url).toMatch(name)
    expect(sha256(file?.bytes ?? new Uint8Array())).toBe(sha256(bytes))
    expect(stage.ghl.calls().filter(({ route }) => route.startsWith('POST'))).toHaveLength(2)
  })

  it('a sticker as a picture that GHL shows', async () => {
    const webp = await sharp({ create: { width: 64, height: 64, channels: 4, background: '#0a0' } })
      .webp()
      .toBuffer()
    const message = await fromAna({ media: { kind: 'sticker', bytes: webp, mimetype: 'image/webp' } })
    const [file] = await filesOf(message.attachments)
    expect(await sharp(file?.bytes).metadata()).toMatchObject({ format: 'png', width: 64, height: 64 })
  })

  it('an animated sticker as a GIF with all its frames', async () => {
    const frames = Buffer.concat([Buffer.alloc(32 * 32 * 3, 10), Buffer.alloc(32 * 32 * 3, 200)])
    const webp = await sharp(frames, { raw: { width: 32, height: 64, channels: 3, pageHeight: 32 } })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer()
    const message = await fromAna({ media: { kind: 'sticker', bytes: webp, mimetype: 'image/webp' } })
    const [file] = await filesOf(message.attachments)
    expect(await sharp(file?.bytes, { animated: true }).metadata()).toMatchObject({ format: 'gif', pages: 2 })
  })

  it('an album as its pictures, without a line for the frame', async () => {
    const items = await Promise.all(['#a00', '#00a'].map((color) => samplePhoto('album', color)))
    const sent = await stage.whatsapp.sendAlbum(
      ANA,
      OWNER,
      items.map((each) => ({ kind: 'image', bytes: each, mimetype: 'image/jpeg' })),
    )
    for (const [at, id] of sent.items.entries()) {
      const [file] = await filesOf((await filed(id)).attachments)
      expect(sha256(file?.bytes ?? new Uint8Array())).toBe(sha256(items[at] ?? new Uint8Array()))
    }
    expect(countOf(sent.id)).toBe(0)
  })

  it('what can be seen once and only on the phone is told', async () => {
    const photo = await samplePhoto('once', '#222')
    const message = await fromAna({
      viewOnce: true,
      media: { kind: 'image', bytes: photo, mimetype: 'image/jpeg' },
    })
    expect(message.body).toBe('[Sent something that can be seen once that can only be opened on the phone.]')
  })
})

describe('rare kinds', () => {
  const lottie = { mimetype: 'application/was', isLottie: true, accessibilityLabel: 'waving' }

  it.each<[string, proto.IMessage, string]>([
    [
      'a Lottie sticker is a sentence with its meaning',
      { lottieStickerMessage: { message: { stickerMessage: lottie } } },
      '[Sent an animated sticker (waving). It can be seen on the phone.]',
    ],
    [
      'a pack of stickers is a sentence with its name',
      { stickerPackMessage: { name: 'Teeth', stickerPackId: 'p1' } },
      '[Sent a pack of stickers (Teeth). It can be seen on the phone.]',
    ],
    [
      'the result of a poll is read out',
      {
        pollResultSnapshotMessage: {
          name: 'Pizza?',
          pollVotes: [{ optionName: 'Yes', optionVoteCount: 3 }],
        },
      },
      '[Result of a poll]\nPizza?\nYes: 3',
    ],
  ])('%s', async (_what, message, body) => {
    expect(await fromAna({ message })).toMatchObject({ body, attachments: [] })
  })

  it('the better copy of a picture comes as a file, marked as one', async () => {
    const bytes = await samplePhoto('better', '#444')
    const first = await fromAna({ media: { kind: 'image', bytes, mimetype: 'image/jpeg' } })
    const sent = stage.whatsapp.messages(ANA).find(({ id }) => id === first.waId)
    const better = await fromAna({
      message: {
        associatedChildMessage: { message: { imageMessage: sent?.message.imageMessage ?? null } },
        messageContextInfo: {
          messageAssociation: { associationType: 10, parentMessageKey: { id: first.waId } },
        },
      },
    })
    expect(better.body).toBe('[The same in better quality]')
    const [file] = await filesOf(better.attachments)
    expect(sha256(file?.bytes ?? new Uint8Array())).toBe(sha256(bytes))
  })
})

describe('places and people', () => {
  it('a location with map link, a live one as it moves', async () => {
    const location = { latitude: -23.5505, longitude: -46.6333, name: 'Clinic', address: 'Rua A, 1' }
    expect((await fromAna({ location })).body).toBe(
      '[Location]\nClinic\nRua A, 1\nhttps://maps.google.com/?q=-23.5505,-46.6333',
    )
    for (const longitude of [2.5, 2.75]) {
      const live = await fromAna({ location: { latitude: 1.5, longitude, live: true } })
      expect(live.body).toBe(
        `[Live location: where the phone is now]\nhttps://maps.google.com/?q=1.5,${longitude}\nAccurate to 12 m`,
      )
    }
  })

  it('contact cards, readable and each attached', async () => {
    const message = await fromAna({
      contacts: [
        { name: 'Bo Li', phone: '15557770001' },
        { name: 'Cy Doe', phone: '15557770002' },
      ],
    })
    expect(message.body).toMatch(/^\[2 contact cards\]\nBo Li\n\+?15557770001\n\nCy Doe\n\+?15557770002$/)
    const files = await filesOf(message.attachments)
    expect(files.map(({ url }) => url.split('/').pop())).toEqual([
      expect.stringMatching(/^Bo-Li-\w+\.vcf$/),
      expect.stringMatching(/^Cy-Doe-\w+\.vcf$/),
    ])
    expect(Buffer.from(files[0]?.bytes ?? []).toString()).toMatch(
      /^BEGIN:VCARD[\s\S]*FN:Bo Li[\s\S]*END:VCARD/,
    )
  })
})

describe('what is about another message', () => {
  it('a reaction, and taking it back, with the words it is to', async () => {
    const { waId: id } = await fromAna({ text: 'See you at 5' })
    expect((await fromAna({ reaction: { id, emoji: '❤️' } })).body).toBe('[Reacted ❤️ to “See you at 5”]')
    expect((await fromAna({ reaction: { id, emoji: '' } })).body).toBe(
      '[Took back the reaction to “See you at 5”]',
    )
  })

  it('a reaction to what the agent wrote', async () => {
    const { contactId } = await fromAna({ text: 'Are you there?' })
    stage.ghl.agentReply({ locationId, contactId, message: 'We are, until 18 h', attachments: [] })
    const arrived = await stage.whatsapp.waitForMessage(
      ANA,
      ({ text }) => text === 'We are, until 18 h',
      15_000,
    )
    const reaction = await fromAna({ reaction: { id: arrived.id, emoji: '👍' } })
    expect(reaction.body).toBe('[Reacted 👍 to “We are, until 18 h”]')
  })

  it('a quoted answer, above text and caption', async () => {
    const { waId: id } = await fromAna({ text: 'Which tooth?' })
    expect((await fromAna({ text: 'This one', quote: id })).body).toBe(
      '[Replying to “Which tooth?”]\nThis one',
    )
    const bytes = await samplePhoto('quote', '#333')
    const media = { kind: 'image', bytes, mimetype: 'image/jpeg', caption: 'Here' } as const
    expect((await fromAna({ media, quote: id })).body).toBe('[Replying to “Which tooth?”]\nHere')
  })

  it('an edit with the words it replaces, and a deletion', async () => {
    const { waId: id } = await fromAna({ text: 'Tomorrow at 9' })
    const edit = await fromAna({ edit: { id, text: 'Tomorrow at 10' } })
    expect(edit.body).toBe('[Edited, it was “Tomorrow at 9”]\nTomorrow at 10')
    expect((await fromAna({ revoke: id })).body).toBe('[Deleted “Tomorrow at 9”]')
  })

  it('a reaction to a message from before the bridge', async () => {
    const reactionMessage = { key: { remoteJid: `${OWNER}@s.whatsapp.net`, id: '3EB0UNKNOWN' }, text: '🎉' }
    expect((await fromAna({ message: { reactionMessage } })).body).toBe('[Reacted 🎉 to a message]')
  })
})

describe('polls and events', () => {
  it('a poll, each vote with its options, and a vote taken back', async () => {
    const { waId: id, body } = await fromAna({
      poll: { name: 'When?', options: ['Morning', 'Evening'], selectable: 2 },
    })
    expect(body).toBe('[Poll]\nWhen?\n1. Morning\n2. Evening')
    const vote = async (options: string[]) => (await fromAna({ vote: { id, options } })).body
    expect(await vote(['Evening'])).toBe('[Voted in “When?”: Evening]')
    expect(await vote(['Morning', 'Evening'])).toBe('[Voted in “When?”: Morning, Evening]')
    expect(await vote([])).toBe('[Took back the vote in “When?”]')
  })

  it('a customer’s vote in a poll from the owner’s phone', async () => {
    const poll = { name: 'Saturday?', options: ['Yes', 'No'] }
    const id = await stage.whatsapp.send(OWNER, { to: ANA, poll })
    expect(await filed(id)).toMatchObject({ direction: 'outbound', body: '[Poll]\nSaturday?\n1. Yes\n2. No' })
    await stage.whatsapp.waitForMessage(ANA, (message) => message.id === id, 15_000)
    expect((await fromAna({ vote: { id, options: ['Yes'] } })).body).toBe('[Voted in “Saturday?”: Yes]')
  })

  it('an event and the answer to it', async () => {
    const startsAt = new Date('2027-01-15T08:00:00Z')
    const { waId: id, body } = await fromAna({ event: { name: 'Open day', startsAt, description: 'Cake' } })
    expect(body).toBe('[Event]\nOpen day\n2027-01-15 08:00 UTC\nCake')
    const answer = await fromAna({ eventReply: { id, answer: 'GOING' } })
    expect(answer.body).toMatch(/^\[Is coming to an event: .*Open day/)
  })
})

describe('business', () => {
  it.each<[string, proto.IMessage, string]>([
    [
      'the answer to buttons',
      { buttonsResponseMessage: { selectedButtonId: 'b', selectedDisplayText: 'Yes', type: 1 } },
      '[Chose] Yes',
    ],
    [
      'the answer to a list',
      { listResponseMessage: { title: '9:00', listType: 1, singleSelectReply: { selectedRowId: 'r' } } },
      '[Chose] 9:00',
    ],
    [
      'the answer to a template',
      { templateButtonReplyMessage: { selectedId: 'x', selectedDisplayText: 'Stop' } },
      '[Chose] Stop',
    ],
    [
      'a menu',
      { listMessage: { title: 'Times', sections: [{ rows: [{ title: '9:00' }] }] } },
      'Times\n• 9:00',
    ],
    [
      'a product',
      { productMessage: { product: { title: 'Brush', url: 'https://c.test' } } },
      '[Product]\nBrush\nhttps://c.test',
    ],
    [
      'an order',
      { orderMessage: { orderId: '77', itemCount: 2, orderTitle: 'Shop' } },
      '[Order 77]\nShop\n2 items\n[The items can be seen on the phone.]',
    ],
    [
      'a request for payment',
      { requestPaymentMessage: { amount1000: 5_000, currencyCodeIso4217: 'BRL' } },
      '[Asks for a payment of BRL 5.00.]',
    ],
    [
      'an invitation to a group',
      { groupInviteMessage: { groupName: 'Friends', inviteCode: 'AbC' } },
      '[Invitation to a group]\nFriends\nhttps://chat.whatsapp.com/AbC',
    ],
    [
      'the ad that opened the chat',
      {
        extendedTextMessage: {
          text: 'Hello',
          contextInfo: {
            externalAdReply: { title: 'White teeth', sourceType: 'ad', sourceUrl: 'https://fb.me/a' },
          },
        },
      },
      '[From the ad “White teeth”] https://fb.me/a\nHello',
    ],
  ])('%s', async (_what, message, body) => {
    expect((await fromAna({ message })).body).toBe(body)
  })
})

describe('calls', () => {
  it.each([
    [{}, '[Missed voice call]'],
    [{ video: true }, '[Missed video call]'],
    [{ outcome: 'cancelled' }, '[Missed voice call]'],
    [{ outcome: 'answered' }, '[Voice call, answered on the phone]'],
    [{ outcome: 'rejected', video: true }, '[Video call, declined on the phone]'],
  ] as const)('%o is told once: %s', async (call, body) => {
    const id = stage.whatsapp.call(ANA, OWNER, call)
    const message = await filed(`call-${id}`)
    expect(message).toMatchObject({ direction: 'inbound', body })
    await fromAna({ text: 'after the call' })
    expect(countOf(`call-${id}`)).toBe(1)
  })
})

describe('what cannot be read at once', () => {
  it('a message that is sent again within moments leaves no trace of that', async () => {
    const message = await fromAna({ text: 'Spoilt on the way', corrupt: true })
    expect(message.body).toBe('Spoilt on the way')
    await fromAna({ text: 'and on' })
    expect(countOf(message.waId)).toBe(1)
    expect(countOf(`${message.waId}.placeholder`)).toBe(0)
  })

  it('a message that the phone gives within moments comes alone', async () => {
    const { waId, body } = await fromAna({ text: 'From another ad', placeholder: true })
    expect(body).toBe('From another ad')
    expect(countOf(`${waId}.placeholder`)).toBe(0)
  })

  it('a message that the phone cannot give yet is announced, and follows', async () => {
    stage.whatsapp.phone(OWNER).goOffline()
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text: 'From the ad', placeholder: true })
    const placeholder = await filed(`${id}.placeholder`)
    expect(placeholder.body).toBe(
      '[A message is on its way. Open WhatsApp on the phone if it does not come.]',
    )
    stage.whatsapp.phone(OWNER).goOnline()
    expect((await filed(id)).body).toBe('From the ad')
    expect(countOf(`${id}.placeholder`)).toBe(1)
  })
})

describe('odd messages', () => {
  it('an id that no app makes is carried as any other', async () => {
    const odd = 'false_15551230001@c.us_3A/ü'
    await stage.whatsapp.send(ANA, { to: OWNER, text: 'Odd id', id: odd })
    const message = await stage.ghl.waitForMessage(({ body }) => body === 'Odd id', { locationId })
    expect(message.altId).toMatch(/^odd-[\w-]{43}$/)
    const dotted = '3A.1=b'
    expect((await fromAna({ text: 'Dotted id', id: dotted })).altId).toBe(dotted)
  })

  it('a kind that nobody knows yet is told of', async () => {
    const message = await fromAna({ message: { messageContextInfo: { deviceListMetadataVersion: 2 } } })
    expect(message.body).toBe('[Sent something new to the bridge. It can be seen on the phone.]')
  })

  it('protocol noise and pins make nothing in GHL', async () => {
    const ids = await Promise.all(
      [
        {
          protocolMessage: {
            type: proto.Message.ProtocolMessage.Type.EPHEMERAL_SETTING,
            ephemeralExpiration: 60,
          },
        },
        { pinInChatMessage: { key: { id: 'A0' }, type: 1 } },
        { keepInChatMessage: { key: { id: 'A0' }, keepType: 1 } },
      ].map((message) => stage.whatsapp.send(ANA, { to: OWNER, message })),
    )
    await fromAna({ text: 'after the noise' })
    expect(ids.map(countOf)).toEqual([0, 0, 0])
  })
})

it('nothing was sent to WhatsApp that the sandbox does not know, and no message waits', async () => {
  expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
  await waitFor('GHL to have everything', () => stage.ghl.messages(locationId).length > 50)
})
