/**
 * `npm run demo`: the main job, told line by line as it really happens. Every step is observed at the far end: in the fake
 * GHL's record or on the simulated phone, never in our own tables. `-- --exit` ends after the story; status 0 only if all
 * of it held.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { samplePhoto } from './sample-photo.ts'
import { Stage } from './stage.ts'

const OWNER = '15550009999'
const CUSTOMER = '15551230001'

const { values: flags } = parseArgs({ options: { exit: { type: 'boolean', default: false } } })
const startedAt = performance.now()

const say = (line: string): void => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2).padStart(7)
  process.stdout.write(`${seconds} s  ${line}\n`)
}

/** Does one thing of the story and says what was observed; a step that fails is named. */
async function step<T>(name: string, act: () => Promise<T>, observed: (result: T) => string): Promise<T> {
  try {
    const result = await act()
    say(`${name}: ${observed(result)}`)
    return result
  } catch (cause) {
    throw new Error(`missing: ${name}`, { cause })
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function expectSame(name: string, sent: Uint8Array, received: Uint8Array): void {
  if (sha256(sent) !== sha256(received)) throw new Error(`${name} arrived with other bytes`)
}

async function download(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer())
}

interface Pages {
  readonly inGhl: string
  readonly pairing: string
}

async function tell(stage: Stage): Promise<Pages> {
  const { whatsapp, ghl, bridge } = stage
  whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
  whatsapp.addAccount({ phone: CUSTOMER, name: 'Ana' })
  const location = ghl.addLocation({ name: 'Dental Care' })

  await step(
    'The bridge starts',
    () => bridge.start(),
    () => `on ${bridge.url}, with the embedded store`,
  )
  await step(
    'The owner installs the app',
    () => stage.install(location.id),
    () => `GHL gave tokens for “${location.name}”`,
  )
  const sessionId = await step(
    'He asks for a QR',
    () => stage.createSession(location.id),
    (id) => `session ${id}`,
  )
  const shown = await step(
    'The QR is shown',
    () => stage.sessionUntil(location.id, sessionId, ({ qr }) => qr !== null),
    ({ qr }) => `${qr?.length} characters for the camera`,
  )
  await step(
    'His phone scans it',
    () => whatsapp.scan(OWNER, shown.qr ?? ''),
    () => 'the phone linked a device',
  )
  await step(
    'The number is ready',
    () => stage.sessionUntil(location.id, sessionId, ({ status }) => status === 'ready'),
    ({ phoneNumber }) => `${phoneNumber}`,
  )

  const contactId = await customerWrites(stage, location.id)
  await agentAnswers(stage, location.id, contactId)
  await step(
    'Nothing was out of place',
    () => Promise.resolve(oddities(stage)),
    () => 'no unknown stanza, no refused call',
  )
  return {
    inGhl: stage.customPage(location.id),
    pairing: await pairingPage(stage, location.id, sessionId),
  }
}

async function customerWrites({ whatsapp, ghl }: Stage, locationId: string): Promise<string> {
  say('Ana writes on WhatsApp: “Hi, are you open on Saturday?”')
  const textId = await whatsapp.send(CUSTOMER, { to: OWNER, text: 'Hi, are you open on Saturday?' })
  const text = await step(
    'Her text is in GHL',
    () =>
      ghl.waitForMessage((message) => message.altId === textId && message.direction === 'inbound', {
        locationId,
      }),
    ({ body }) => `“${body}”`,
  )
  await step(
    'Her phone shows delivered',
    () => untilBridgeTicks(whatsapp, textId),
    () => 'the message was committed before this tick',
  )
  const photo = await samplePhoto('tooth', '#0b7a4b')
  say('Ana sends a photo')
  const photoId = await whatsapp.send(CUSTOMER, {
    to: OWNER,
    media: { kind: 'image', bytes: photo, mimetype: 'image/jpeg', caption: 'It hurts here' },
  })
  await step(
    'Her photo is in GHL',
    async () => {
      const message = await ghl.waitForMessage(({ altId }) => altId === photoId, { locationId })
      expectSame('the photo', photo, await download(message.attachments[0] ?? ''))
      return message
    },
    ({ body }) => `“${body}”, ${photo.length} bytes, the same ones`,
  )
  return text.contactId
}

async function agentAnswers({ whatsapp, ghl }: Stage, locationId: string, contactId: string): Promise<void> {
  say('The agent answers in GHL: “Yes, 9 to 13 h.”')
  const text = ghl.agentReply({ locationId, contactId, message: 'Yes, 9 to 13 h.' })
  const arrived = await step(
    'Ana’s phone shows it',
    () => whatsapp.waitForMessage(CUSTOMER, (message) => message.text === 'Yes, 9 to 13 h.'),
    (message) => `“${message.text}”`,
  )
  await step(
    'GHL shows delivered',
    () => ghl.waitForStatus(text.messageId, 'delivered', 30_000),
    () => 'from Ana’s receipt',
  )

  say('The agent sends a photo with a word')
  const map = await samplePhoto('map', '#245a9c')
  const url = ghl.hostFile('map.jpg', map, 'image/jpeg')
  const photo = ghl.agentReply({ locationId, contactId, message: 'We are here', attachments: [url] })
  const shown = await step(
    'Ana’s phone shows the photo',
    async () => {
      const message = await whatsapp.waitForMessage(CUSTOMER, ({ text }) => text === 'We are here')
      expectSame('the photo', map, message.media?.bytes ?? new Uint8Array())
      return message
    },
    (message) => `“${message.text}”, ${message.media?.sizeBytes} bytes, the same ones`,
  )

  say('Ana reads both')
  await whatsapp.phone(CUSTOMER).markRead(OWNER, [arrived.id, shown.id])
  await step(
    'GHL shows read',
    () => ghl.waitForStatus(text.messageId, 'read', 30_000),
    () => 'for the text',
  )
  await step(
    'GHL shows read',
    () => ghl.waitForStatus(photo.messageId, 'read', 30_000),
    () => 'for the photo',
  )
}

/** The owner's phone ticks too; the bridge is one of his linked devices. */
async function untilBridgeTicks(whatsapp: Stage['whatsapp'], messageId: string): Promise<void> {
  await whatsapp
    .phone(CUSTOMER)
    .waitForReceipt(
      (receipt) => receipt.messageId === messageId && receipt.type === 'delivered' && receipt.fromDevice > 0,
    )
}

function oddities({ whatsapp, ghl }: Stage): void {
  const unknown = Object.keys(whatsapp.stats().unknownStanzas)
  const refused = ghl.stats().oddities.map(({ kind, detail }) => `${kind} ${detail}`)
  if (unknown.length + refused.length > 0) throw new Error([...unknown, ...refused].join(', '))
}

async function pairingPage({ bridge }: Stage, locationId: string, sessionId: string): Promise<string> {
  const made = await bridge.operator('POST', `/ghl/location/${locationId}/session/${sessionId}/pairing-link`)
  return ((await made.json()) as { url: string }).url // our own contract
}

const causes = (thrown: unknown): string =>
  thrown instanceof Error
    ? [thrown.message, thrown.cause && causes(thrown.cause)].filter(Boolean).join(' <- ')
    : String(thrown)

async function main(): Promise<void> {
  const stage = await Stage.set()
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  try {
    const told = tell(stage)
    const pages = await Promise.race([told, interrupted.then(() => undefined)])
    if (pages === undefined) {
      // The rest of the story cannot be told without its stage.
      told.catch(() => undefined)
      return
    }
    say('All of it held.')
    if (!flags.exit) {
      process.stdout.write(
        `\nPlay the agent:    ${stage.ghl.url}/\nThe page in GHL:   ${pages.inGhl}\nThe pairing link:  ${pages.pairing}\nThe API:           ${stage.bridge.url}/docs\n` +
          `Operator key:      ${stage.bridge.apiKey}\nThe phones:        ${stage.whatsapp.controlUrl}/stats\n\nCtrl-C stops everything.\n`,
      )
      await interrupted
    }
  } catch (thrown) {
    process.stderr.write(`\nThe story did not hold. ${causes(thrown)}\n`)
    process.exitCode = 1
  } finally {
    await stage.strike()
  }
}

await main()
