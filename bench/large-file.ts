/** 100 MiB through the server, either way: how much its memory grows. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ANA, type Clinic, OWNER, openClinic } from './clinic.ts'
import type { Figure, Measurement } from './measurement.ts'

const SIZE_BYTES = 100 * 1024 * 1024
const BUDGET_MIB = 32
const WARM_UP_BYTES = 100_000
const SAMPLE_MS = 20
const PATIENCE_MS = 120_000

export const largeFile: Measurement = {
  name: 'large-file',
  async run() {
    const file = randomBytes(SIZE_BYTES)
    return [
      ...(await inProcessOfItsOwn('GHL to WhatsApp', (clinic) => toWhatsApp(clinic, file))),
      ...(await inProcessOfItsOwn('WhatsApp to the reader of a link', (clinic) => toGhl(clinic, file))),
    ]
  },
}

/** What the other way left behind in memory would hide what this one takes. Small files first: code is loaded once. */
async function inProcessOfItsOwn(way: string, carry: (clinic: Clinic) => Promise<void>): Promise<Figure[]> {
  await using clinic = await openClinic()
  await toWhatsApp(clinic, randomBytes(WARM_UP_BYTES))
  await toGhl(clinic, randomBytes(WARM_UP_BYTES))
  return await measured(clinic, way, () => carry(clinic))
}

async function toWhatsApp({ stage, locationId, contactId }: Clinic, bytes: Buffer): Promise<void> {
  const before = stage.whatsapp.messages(ANA).length
  const attachments = [stage.ghl.hostFile('film.zip', bytes, 'application/zip')]
  stage.ghl.agentReply({ locationId, contactId, attachments })
  await stage.whatsapp.waitForMessage(
    ANA,
    (message) =>
      stage.whatsapp.messages(ANA).indexOf(message) >= before && message.media?.sizeBytes === bytes.length,
    PATIENCE_MS,
  )
}

async function toGhl({ stage, locationId }: Clinic, bytes: Buffer): Promise<void> {
  const media = { kind: 'document', fileName: 'film.zip', bytes, mimetype: 'application/zip' } as const
  const id = await stage.whatsapp.send(ANA, { to: OWNER, media })
  const { body } = await stage.ghl.waitForMessage(({ altId }) => altId === id, {
    locationId,
    timeoutMs: PATIENCE_MS,
  })
  const [link] = /https?:\/\/\S+\/files\/\S+/.exec(body) ?? []
  if (link === undefined) return
  let readBytes = 0
  for await (const chunk of (await fetch(link)).body ?? []) readBytes += (chunk as Uint8Array).length // fetch gives bytes
  if (readBytes !== bytes.length) throw new Error(`the link gave ${readBytes} bytes`)
}

async function measured(clinic: Clinic, way: string, act: () => Promise<void>): Promise<Figure[]> {
  const { pid } = clinic.stage.bridge
  const beforeMib = await residentMib(pid)
  let peakMib = beforeMib
  const sampling = setInterval(() => {
    void residentMib(pid).then((mib) => {
      peakMib = Math.max(peakMib, mib)
    })
  }, SAMPLE_MS)
  const startedAtMs = performance.now()
  try {
    await act()
  } finally {
    clearInterval(sampling)
  }
  const seconds = (performance.now() - startedAtMs) / 1_000
  return [
    { what: `100 MiB, ${way}: memory`, value: peakMib - beforeMib, unit: 'MiB', budget: BUDGET_MIB },
    { what: `100 MiB, ${way}: time`, value: seconds, unit: 's' },
  ]
}

/** Linux only. */
async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}
