/** Everything an agent can send, as it arrives on a customer's phone: the real server, the unmodified Baileys, real HTTP. */
import { createHash, randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePhoto } from '../../sandbox/sample-photo.ts'
import { Stage } from '../../sandbox/stage.ts'
import type { PhoneMessage } from '../../sandbox/whatsapp/phone-log.ts'
import { song, sound } from '../support/sounds.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const startingWith = (head: string, sizeBytes = 3_000): Buffer =>
  Buffer.concat([Buffer.from(head, 'latin1'), randomBytes(sizeBytes)])
const MP4 = '\0\0\0\x18ftypisom\0\0\0\0isommp42'

describe('what an agent sends', () => {
  let stage: Stage
  let locationId: string
  let ana: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    ana = stage.ghl.contacts.add(locationId, { phone: `+${ANA}` }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
  })
  afterAll(async () => {
    await stage.strike()
  })

  const onPhone = (): PhoneMessage[] =>
    stage.whatsapp.messages(ANA).filter((message) => !message.fromMe) as PhoneMessage[]
  /** Sends and returns what arrives on Ana's phone, as many messages as expected, in order. */
  async function sends(
    reply: {
      message?: string
      files?: readonly (readonly [name: string, bytes: Uint8Array, type?: string | undefined])[]
      replyToAltId?: string
    },
    count = 1,
  ): Promise<PhoneMessage[]> {
    const before = onPhone().length
    const { files = [], ...words } = reply
    const attachments = files.map(([name, bytes, type]) => stage.ghl.hostFile(name, bytes, type))
    stage.ghl.agentReply({ locationId, contactId: ana, attachments, ...words })
    return await waitFor(
      `${count} messages on the phone`,
      () => {
        const arrived = onPhone().slice(before)
        return arrived.length >= count && arrived
      },
      30_000,
    )
  }
  const sent = async (name: string, bytes: Uint8Array, type?: string): Promise<PhoneMessage> => {
    const [message] = await sends({ files: [[name, bytes, type]] })
    if (message === undefined) throw new Error('nothing arrived')
    return message
  }

  it('brings a JPEG as a picture with size and thumbnail, byte for byte, whatever its server calls it', async () => {
    const photo = await samplePhoto('front', '#0b7a4b')
    const { kind, media, message } = await sent('front.bin', photo, 'application/octet-stream')
    expect(kind).toBe('image')
    expect(media).toMatchObject({ mimetype: 'image/jpeg', sha256: sha256(photo) })
    const { width, height } = await sharp(photo).metadata()
    expect(message.imageMessage).toMatchObject({ width, height })
    expect((await sharp(message.imageMessage?.jpegThumbnail ?? undefined).metadata()).format).toBe('jpeg')
  })

  it.each([
    ['webp', 'image/jpeg', 'jpeg'],
    ['avif', 'image/jpeg', 'jpeg'],
    ['gif', 'image/jpeg', 'jpeg'],
  ] as const)('turns a still %s into a picture that every phone shows', async (format, mimetype, becomes) => {
    const photo = sharp(await samplePhoto('convert', '#245a9c'))
    const given = await photo.toFormat(format).toBuffer()
    const { kind, media } = await sent(`photo.${format}`, given)
    expect({ kind, mimetype: media?.mimetype }).toEqual({ kind: 'image', mimetype })
    expect((await sharp(media?.bytes).metadata()).format).toBe(becomes)
  })

  it('keeps what is transparent in a picture', async () => {
    const logo = { create: { width: 40, height: 20, channels: 4, background: '#0b7a4b80' } } as const
    const { kind, media } = await sent('logo.webp', await sharp(logo).webp().toBuffer())
    expect({ kind, mimetype: media?.mimetype }).toEqual({ kind: 'image', mimetype: 'image/png' })
  })

  it('sends a moving GIF as the file it is', async () => {
    const frames = await Promise.all(['#f00', '#0f0'].map((colour) => samplePhoto('frame', colour)))
    const gif = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    const { kind, media } = await sent('wave.gif', gif)
    expect(kind).toBe('document')
    expect(media).toMatchObject({ mimetype: 'image/gif', fileName: 'wave.gif', sha256: sha256(gif) })
  })

  it('sends a picture that cannot be read as a file', async () => {
    const broken = startingWith('\xff\xd8\xff\xe0', 500)
    const { kind, media } = await sent('broken.jpg', broken)
    expect({ kind, sha256: media?.sha256 }).toEqual({ kind: 'document', sha256: sha256(broken) })
  })

  it('brings an MP4 as a film, byte for byte', async () => {
    const film = startingWith(MP4, 300_000)
    const { kind, media } = await sent('tour', film, 'binary/octet-stream')
    expect(kind).toBe('video')
    expect(media).toMatchObject({ mimetype: 'video/mp4', sha256: sha256(film) })
  })

  it.each([
    ['invoice.pdf', startingWith('%PDF-1.7\n'), 'application/pdf'],
    ['precios día.csv', Buffer.from('a;b\n1;2\n'), 'text/csv'],
    ['archive.zip', startingWith('PK\x05\x06'), 'application/zip'],
    ['notes.txt', Buffer.from('plain words'), 'text/plain'],
    ['photo.heic', startingWith('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'image/heic'],
  ])('brings %s as a document with its name and type', async (name, bytes, mimetype) => {
    const { kind, media } = await sent(name, bytes)
    expect(kind).toBe('document')
    expect(media).toMatchObject({ fileName: name, mimetype, sha256: sha256(bytes) })
  })

  it.each([0, 1, 15, 16, 17, 65_536, 6_000_000])('brings a file of %i bytes whole', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes)
    const { media } = await sent('data.bin', bytes)
    expect({ sizeBytes: media?.sizeBytes, sha256: media?.sha256 }).toEqual({
      sizeBytes,
      sha256: sha256(bytes),
    })
  })

  it('plays an Ogg with Opus as a voice note, byte for byte, with its length and its waveform', async () => {
    const note = await sound('ogg')
    const { kind, media, message } = await sent('voice.ogg', note)
    expect({ kind, sha256: media?.sha256 }).toEqual({ kind: 'audio', sha256: sha256(note) })
    expect(message.audioMessage).toMatchObject({ ptt: true, seconds: 3, mimetype: 'audio/ogg; codecs=opus' })
    const bars = [...(message.audioMessage?.waveform ?? [])]
    expect(bars).toHaveLength(64)
    expect(bars[5]).toBeLessThan(bars[60] ?? 0)
  })

  it.each([
    ['mp3', 'mp3'],
    ['m4a', 'm4a'],
    ['wav', 'wav'],
    ['aac', 'aac'],
    ['webm', 'webm'],
    ['flac', 'flac'],
  ] as const)('turns %s into a voice note', async (kind, extension) => {
    const { media, message } = await sent(`recording.${extension}`, await sound(kind))
    expect(message.audioMessage).toMatchObject({ ptt: true, seconds: 3, mimetype: 'audio/ogg; codecs=opus' })
    expect(media?.bytes.subarray(0, 4).toString()).toBe('OggS')
  })

  it('leaves a song what it is, and sends a sound that cannot be read as it came', async () => {
    const music = await song()
    const arrived = await sent('song.mp3', music)
    expect(arrived.message.audioMessage).toMatchObject({ ptt: false, mimetype: 'audio/mpeg' })
    expect(arrived.media?.sha256).toBe(sha256(music))
    const broken = startingWith('RIFF\xff\0\0\0WAVEfmt ')
    const file = await sent('broken.wav', broken)
    expect({ kind: file.kind, sha256: file.media?.sha256 }).toEqual({
      kind: 'document',
      sha256: sha256(broken),
    })
  })

  it('sends all attachments in order, the text under the first', async () => {
    const photo = await samplePhoto('one', '#333333')
    const pdf = startingWith('%PDF-1.7\n')
    const zip = startingWith('PK\x05\x06')
    const arrived = await sends(
      {
        message: 'Three files',
        files: [
          ['one.jpg', photo],
          ['two.pdf', pdf],
          ['three.zip', zip],
        ],
      },
      3,
    )
    expect(arrived.map(({ text }) => text)).toEqual(['Three files', undefined, undefined])
    expect(arrived.map(({ media }) => media?.sha256)).toEqual([photo, pdf, zip].map(sha256))
  })

  it('sends the text first where a voice note cannot carry it', async () => {
    const arrived = await sends({ message: 'Listen', files: [['voice.ogg', await sound('ogg')]] }, 2)
    expect(arrived.map(({ kind, text }) => [kind, text])).toEqual([
      ['text', 'Listen'],
      ['audio', undefined],
    ])
  })

  it('cuts an over-long text between words and keeps the order', async () => {
    const long = Array.from({ length: 14_000 }, (_, number) => `word${number}`).join(' ')
    const arrived = await sends({ message: long }, 2)
    expect(arrived.length).toBeGreaterThan(1)
    expect(arrived.map(({ text }) => text).join(' ')).toBe(long)
  })

  it('sends the words of HTML, without tags, entities and controls', async () => {
    const html =
      '<p>Hi <b>Ana</b> &amp; co,</p><p>see <a href="https://x.example/a?b=1&amp;c=2">our page</a>\u0007<br>soon</p>'
    const [arrived] = await sends({ message: html })
    expect(arrived?.text).toBe('Hi *Ana* & co,\nsee our page (https://x.example/a?b=1&c=2)\nsoon')
    expect(arrived?.message.extendedTextMessage?.matchedText || undefined).toBeUndefined()
  })

  describe('as an answer', () => {
    const contextOf = ({ message }: PhoneMessage) =>
      message.extendedTextMessage?.contextInfo ?? message.imageMessage?.contextInfo

    it('quotes what the customer wrote, in the first of its messages only', async () => {
      const asked = await stage.whatsapp.send(ANA, { to: OWNER, text: 'What does it cost?' })
      await stage.ghl.waitForMessage(({ altId }) => altId === asked, { locationId })
      const photo = await samplePhoto('list', '#aa3311')
      const [first, second] = await sends(
        {
          message: 'See the list',
          replyToAltId: asked,
          files: [
            ['list.jpg', photo],
            ['more.pdf', startingWith('%PDF-1.7\n')],
          ],
        },
        2,
      )
      const context = first && contextOf(first)
      expect(context).toMatchObject({
        stanzaId: asked,
        quotedMessage: { conversation: 'What does it cost?' },
      })
      expect(context?.participant).toMatch(/@(lid|s\.whatsapp\.net)$/)
      expect(second?.message.documentMessage?.contextInfo ?? undefined).toBeUndefined()
    })

    it('quotes a picture of the customer’s by its caption', async () => {
      const bytes = await samplePhoto('hurts', '#112233')
      const media = { kind: 'image', bytes, mimetype: 'image/jpeg', caption: 'It hurts here' } as const
      const shown = await stage.whatsapp.send(ANA, { to: OWNER, media })
      await stage.ghl.waitForMessage(({ altId }) => altId === shown, { locationId })
      const [answer] = await sends({ message: 'Come by', replyToAltId: shown })
      expect(answer && contextOf(answer)).toMatchObject({
        stanzaId: shown,
        quotedMessage: { imageMessage: { caption: 'It hurts here', mimetype: 'image/jpeg' } },
      })
    })

    it('quotes what the business said itself, on the phone or from GHL', async () => {
      const typed = await stage.whatsapp.send(OWNER, { to: ANA, text: 'Typed on the phone' })
      await stage.ghl.waitForMessage(({ altId }) => altId === typed, { locationId })
      const [toTyped] = await sends({ message: 'As I wrote', replyToAltId: typed })
      expect(toTyped && contextOf(toTyped)).toMatchObject({
        stanzaId: typed,
        quotedMessage: { conversation: 'Typed on the phone' },
      })
      const [toOwn] = await sends({ message: 'And again', replyToAltId: toTyped?.id ?? '' })
      expect(toOwn && contextOf(toOwn)).toMatchObject({
        stanzaId: toTyped?.id,
        quotedMessage: { extendedTextMessage: { text: 'As I wrote' } },
      })
      const { participant } = (toOwn && contextOf(toOwn)) ?? {}
      expect(participant).toBe((toTyped && contextOf(toTyped))?.participant)
    })

    it('is sent without a quote when nobody knows the original, or it is another person’s', async () => {
      const ben = '15551230002'
      stage.whatsapp.addAccount({ phone: ben, name: 'Ben' })
      const secret = await stage.whatsapp.send(ben, { to: OWNER, text: 'Only between us' })
      await stage.ghl.waitForMessage(({ altId }) => altId === secret, { locationId })
      for (const replyToAltId of ['3EB0UNKNOWN', secret]) {
        const [answer] = await sends({ message: `about ${replyToAltId}`, replyToAltId })
        expect(answer?.text).toBe(`about ${replyToAltId}`)
        expect((answer && contextOf(answer)) ?? undefined).toBeUndefined()
      }
    })
  })

  describe('with a file that cannot be sent', () => {
    const fails = async (message: string, attachments: string[]) => {
      const { messageId } = stage.ghl.agentReply({ locationId, contactId: ana, message, attachments })
      return await stage.ghl.waitForStatus(messageId, 'failed', 30_000)
    }
    const reaches = (text: string) =>
      stage.whatsapp.waitForMessage(ANA, (message) => !message.fromMe && message.text === text, 15_000)
    const notes = () =>
      stage.ghl
        .messages(locationId)
        .flatMap(({ channel, body }) => (channel === 'InternalComment' ? [body] : []))

    it.each([
      ['that is gone', () => `${stage.ghl.url}/_files/none/gone.jpg`, 'MEDIA_GONE'],
      ['at a private address', () => 'https://10.0.0.7/photo.jpg', 'MEDIA_ADDRESS_REFUSED'],
    ])('%s: the words arrive, and GHL shows failed with the reason', async (what, url, code) => {
      const failed = await fails(`Words of a file ${what}`, [url()])
      expect(failed.error?.code).toBe(code)
      const arrived = await reaches(`Words of a file ${what}`)
      expect(arrived.kind).toBe('text')
      await waitFor('the note', () => notes().some((note) => /a file \((gone|photo)\.jpg\)/.test(note)))
    })

    it('too large: the words and the other files arrive, and GHL shows failed with the reason', async () => {
      const huge = stage.ghl.hostFile('huge.bin', Buffer.alloc(101 * 1024 * 1024))
      const pdf = startingWith('%PDF-1.7\n')
      const failed = await fails('Words of a huge file', [
        huge.replace('.bin', '.zip'),
        stage.ghl.hostFile('small.pdf', pdf),
      ])
      expect(failed.error).toMatchObject({ code: 'MEDIA_TOO_LARGE' })
      expect(failed.error?.message).toContain('100 MiB')
      await reaches('Words of a huge file')
      await waitFor('the other file', () => onPhone().some(({ media }) => media?.sha256 === sha256(pdf)))
      expect(onPhone().filter(({ text }) => text === 'Words of a huge file')).toHaveLength(1)
    })

    it('in the middle of several: the others arrive in their order, and the agent sees which failed', async () => {
      const [first, last] = [startingWith('%PDF-1.7\n'), startingWith('PK\x05\x06')]
      const before = onPhone().length
      const failed = await fails('First of three', [
        stage.ghl.hostFile('first.pdf', first),
        `${stage.ghl.url}/_files/none/middle.jpg`,
        stage.ghl.hostFile('last.zip', last),
      ])
      expect(failed.error?.code).toBe('MEDIA_GONE')
      await waitFor('the others', () => onPhone().length >= before + 2)
      expect(
        onPhone()
          .slice(before)
          .map(({ media }) => media?.sha256),
      ).toEqual([first, last].map(sha256))
      await waitFor('the note', () =>
        notes().some((note) => note.includes('a file (middle.jpg) was not sent')),
      )
    })

    it('holds up nothing behind it', async () => {
      const [next] = await sends({ message: 'Next, please' })
      expect(next?.text).toBe('Next, please')
    })
  })

  it('made no stanza unknown, and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})
