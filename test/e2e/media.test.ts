/** Files from WhatsApp to GHL: by the conversation, by the media library, by a link of ours; asked for again on the phone. */
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('files from WhatsApp', () => {
  let stage: Stage
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
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

  const filed = async (fileName: string, bytes: Uint8Array, mimetype: string, caption?: string) => {
    const media = { kind: 'document', fileName, bytes, mimetype, ...(caption && { caption }) } as const
    const id = await stage.whatsapp.send(ANA, { to: OWNER, media })
    return await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, timeoutMs: 25_000 })
  }
  const linkIn = (text: string): string => /https?:\/\/\S+\/files\/\S+/.exec(text)?.[0] ?? ''
  const download = async (url: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(url)).arrayBuffer())

  it.each([1, 15, 16, 17, 65_536, 4_900_000, 6_000_000])(
    'of %i bytes reach the conversation byte for byte',
    async (sizeBytes) => {
      const bytes = randomBytes(sizeBytes)
      const { attachments } = await filed('data.zip', bytes, 'application/zip')
      expect(attachments).toHaveLength(1)
      expect(sha256(await download(attachments[0] ?? ''))).toBe(sha256(bytes))
    },
  )

  it('too large for GHL are a link with name and size, under which they lie byte for byte, as a download', async () => {
    const bytes = randomBytes(30_000_000)
    const { body, attachments } = await filed('contract día.zip', bytes, 'application/zip', 'Please sign')
    expect(attachments).toEqual([])
    expect(body).toMatch(/^Please sign\n\ncontract día\.zip, 30 MB: http/)
    const answer = await fetch(linkIn(body))
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent('contract día.zip')}`,
      'content-length': '30000000',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    })
    expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(bytes))
  })

  it('behind a link come again from the phone when WhatsApp has dropped them, and are gone when the phone has', async () => {
    const bytes = randomBytes(26_000_000)
    const { body, altId } = await filed('old.zip', bytes, 'application/zip')
    const sent = stage.whatsapp.messages(ANA).find(({ id }) => id === altId)
    const path = sent?.media?.directPath ?? ''
    stage.whatsapp.failMedia(path, 404)
    expect(sha256(await download(linkIn(body)))).toBe(sha256(bytes))
    stage.whatsapp.failMedia(path, undefined)
  })

  it('have a link that works whatever their name is, and come under that name', async () => {
    for (const name of [`${'длинное-имя-'.repeat(12)}.zip`, "it's (new)* 100%.zip"]) {
      const bytes = randomBytes(25_100_000)
      const { body } = await filed(name, bytes, 'application/zip')
      const answer = await fetch(linkIn(body))
      expect(answer.status).toBe(200)
      const [, encoded = ''] =
        /^attachment; filename\*=UTF-8''([\w.!~%-]+)$/.exec(
          answer.headers.get('content-disposition') ?? '',
        ) ?? []
      expect(decodeURIComponent(encoded)).toBe(name)
      expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(sha256(bytes))
    }
  })

  it('are not shown to anybody who changes the link', async () => {
    const { body } = await filed('mine.zip', randomBytes(25_100_000), 'application/zip')
    const link = linkIn(body)
    for (const forged of [
      link.replace(/files\/./, (start) => `${start.slice(0, -1)}${start.endsWith('0') ? '1' : '0'}`),
      link.replace(/(files\/[\da-f-]+)\.[\da-z]+\./, '$1.zzzzzz.'),
      link.replace(/files\/[^/]+/, 'files/none'),
      link.replace(/files\/[^/]+/, `files/${'a'.repeat(1_500)}`),
      link.replace(/files\/[^/]+/, 'files/%00%ff'.slice(0, 9)),
    ]) {
      const answer = await fetch(forged)
      expect(answer.status).toBe(410)
      expect(await answer.json()).toMatchObject({ error: { code: 'LINK_EXPIRED' } })
    }
  })

  it('have a door of their own: who tries many links is told to wait, and slows nobody else', async () => {
    const tried = async () => (await fetch(`${stage.bridge.url}/files/none/x`)).status
    const statuses = new Set<number>()
    for (let turn = 0; turn < 130; turn += 1) statuses.add(await tried())
    expect(statuses).toEqual(new Set([410, 429]))
    for (const [token, status, code] of [
      ['a'.repeat(3_000), 414, 'PATH_TOO_LONG'],
      ['%E0%A4%A', 400, 'REQUEST_INVALID'],
    ] as const) {
      const answer = await fetch(`${stage.bridge.url}/files/${token}/x`)
      expect([answer.status, await answer.json()]).toMatchObject([status, { error: { code } }])
    }
    expect((await fetch(`${stage.bridge.url}/health`)).status).toBe(200)
    const sso = await fetch(`${stage.bridge.url}/api/sso`, { method: 'POST' })
    expect(sso.status).not.toBe(429)
  })

  it('met no stanza it did not know, and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})
