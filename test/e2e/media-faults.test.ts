/** Files that WhatsApp's host or the phone does not give, or not whole: what came is told all the same, and nothing is left. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import type { OutgoingMedia } from '../../sandbox/whatsapp/content.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const BRUNO = '15551230002'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('a file on its way', () => {
  let stage: Stage
  let locationId: string
  let ana: string
  let group: string
  let temporary: string

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'media-faults-'))
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 }, env: { TMPDIR: temporary } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    stage.whatsapp.addAccount({ phone: BRUNO, name: 'Bruno' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    ana = stage.ghl.contacts.add(locationId, { phone: `+${ANA}` }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, { groups: true })
    await stage.pair(locationId, OWNER)
    group = stage.whatsapp.createGroup({ subject: 'Tulips', creator: ANA, members: [OWNER, BRUNO] }).jid
  })
  afterAll(async () => {
    await stage.strike()
    await rm(temporary, { recursive: true, force: true })
  })

  const inGhl = (altId: string, timeoutMs = 20_000) =>
    stage.ghl.waitForMessage((message) => message.altId === altId, { locationId, timeoutMs, what: altId })
  const download = async (url: string): Promise<Uint8Array> =>
    new Uint8Array(await (await fetch(url)).arrayBuffer())

  const sent = async (
    media: OutgoingMedia,
    how: Parameters<typeof stage.whatsapp.spoilNextMedia>[0],
    to = OWNER,
  ) => {
    stage.whatsapp.spoilNextMedia(how)
    return await stage.whatsapp.send(ANA, { to, media })
  }
  const pathOf = (id: string): string =>
    stage.whatsapp.messages(ANA).find((message) => message.id === id)?.media?.directPath ?? ''
  const plan = (bytes: Uint8Array): OutgoingMedia => ({
    kind: 'document',
    fileName: 'plan.zip',
    bytes,
    mimetype: 'application/zip',
    caption: 'The plan',
  })

  it.each([403, 404, 410])(
    'that WhatsApp answers with %i comes again from the phone, byte for byte',
    async (status) => {
      const bytes = randomBytes(40_000)
      const { body, attachments } = await inGhl(await sent(plan(bytes), status))
      expect(body).toBe('The plan')
      expect(sha256(await download(attachments[0] ?? ''))).toBe(sha256(bytes))
    },
  )

  it('in a group comes again from the phone as well', async () => {
    const bytes = randomBytes(40_000)
    const { body, attachments } = await inGhl(await sent(plan(bytes), 404, group))
    expect(body).toBe(`Ana (+${ANA}): The plan`)
    expect(sha256(await download(attachments[0] ?? ''))).toBe(sha256(bytes))
  })

  it('that the phone has no more either leaves its words and the reason', async () => {
    stage.whatsapp.keepMedia(OWNER, false)
    const { body, attachments } = await inGhl(await sent(plan(randomBytes(40_000)), 410))
    stage.whatsapp.keepMedia(OWNER, true)
    expect(attachments).toEqual([])
    expect(body).toBe(
      'The plan\n\n[Sent the file "plan.zip", but it could not be carried over: WhatsApp no longer has the file. It can be seen on the phone.]',
    )
  })

  it('without a byte in it is attached as that', async () => {
    const { body, attachments } = await inGhl(
      await stage.whatsapp.send(ANA, { to: OWNER, media: plan(Buffer.alloc(0)) }),
    )
    expect(body).toBe('The plan')
    expect(attachments).toHaveLength(1)
    expect(await download(attachments[0] ?? '')).toHaveLength(0)
  })

  it.each(['changed', 'cut off'] as const)(
    'that is %s on its way never reaches GHL, and comes when it is whole again',
    async (damage) => {
      const bytes = randomBytes(300_000)
      const id = await sent(plan(bytes), damage)
      const downloads = stage.whatsapp.stats().mediaDownloads
      await waitFor('the second attempt', () => stage.whatsapp.stats().mediaDownloads > downloads, 20_000)
      expect(stage.ghl.messages(locationId).some(({ altId }) => altId === id)).toBe(false)
      stage.whatsapp.damageMedia(pathOf(id), undefined)
      const { body, attachments } = await inGhl(id)
      expect(body).toBe('The plan')
      expect(attachments).toHaveLength(1)
      expect(sha256(await download(attachments[0] ?? ''))).toBe(sha256(bytes))
    },
  )

  it('that stays damaged leaves its words and the reason, and the chat goes on', async () => {
    const id = await sent(plan(randomBytes(300_000)), 'changed')
    const behind = await stage.whatsapp.send(ANA, { to: OWNER, text: 'Did you get it?' })
    const { body, attachments } = await inGhl(id, 90_000)
    expect(attachments).toEqual([])
    expect(body).toMatch(/^The plan\n\n\[Sent the file "plan\.zip", but .*is damaged\./)
    await inGhl(behind)
  }, 120_000)

  describe('to the customer', () => {
    /** What the server keeps on disk for messages on their way. */
    const spooled = async (): Promise<string[]> => {
      const roots = (await readdir(temporary)).filter((name) => name.startsWith('ghl-whatsapp-bridge-'))
      return (await Promise.all(roots.map((root) => readdir(join(temporary, root))))).flat()
    }
    const sends = (message: string) => {
      const attachments = [stage.ghl.hostFile('plan.zip', randomBytes(200_000), 'application/zip')]
      return stage.ghl.agentReply({ locationId, contactId: ana, message, attachments }).messageId
    }
    const reaches = (text: string) =>
      stage.whatsapp.waitForMessage(ANA, (message) => !message.fromMe && message.text === text, 60_000)

    it('leaves nothing on our disk when WhatsApp’s host does not take it, and arrives when it does', async () => {
      stage.whatsapp.refuseUploads(503)
      sends('The upload fails at first')
      await waitFor(
        'a failed upload',
        async () => {
          const listed = await stage.bridge.operator('GET', `/api/messages?locationId=${locationId}&limit=1`)
          const { messages } = (await listed.json()) as { messages: { attempts: number }[] } // our own contract
          return (messages[0]?.attempts ?? 0) > 0
        },
        30_000,
      )
      await waitFor('an empty folder', async () => (await spooled()).length === 0)
      stage.whatsapp.refuseUploads(undefined)
      await reaches('The upload fails at first')
    }, 90_000)

    it('is gone from our disk after a kill in the middle, and still arrives once', async () => {
      const release = stage.whatsapp.holdUploads()
      sends('Killed in the middle')
      await waitFor('a file on our disk', async () => (await spooled()).length > 0, 30_000)
      await stage.bridge.kill()
      expect(await spooled()).not.toEqual([])
      release()
      await stage.bridge.start()
      await reaches('Killed in the middle')
      await waitFor('an empty folder', async () => (await spooled()).length === 0)
      expect(stage.whatsapp.messages(ANA).filter(({ text }) => text === 'Killed in the middle')).toHaveLength(
        1,
      )
    }, 90_000)
  })

  it('met no stanza it did not know, and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})
