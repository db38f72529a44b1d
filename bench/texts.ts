/**
 * Texts one after the other: how long they take, and what they cost in calls to GHL. The times include both sandboxes, so
 * they have no budget.
 */
import { samplePhoto } from '../sandbox/sample-photo.ts'
import { ANA, OWNER, openClinic } from './clinic.ts'
import { type Measurement, percentile } from './measurement.ts'

const TEXTS = 100

export const texts: Measurement = {
  name: 'texts',
  async run() {
    await using clinic = await openClinic()
    const { stage, locationId, contactId } = clinic
    await clinic.fromAna('warm up')
    stage.ghl.forget()
    const inbound: number[] = []
    for (let text = 0; text < TEXTS; text += 1) inbound.push(await clinic.fromAna(`text ${text}`))
    const perText = stage.ghl.calls().length / TEXTS

    stage.ghl.forget()
    const media = { kind: 'image', bytes: await samplePhoto('x', '#333333'), mimetype: 'image/jpeg' } as const
    const photo = await stage.whatsapp.send(ANA, { to: OWNER, media })
    await stage.ghl.waitForMessage(({ altId }) => altId === photo, { locationId })
    const perFile = stage.ghl.calls().length

    const outbound: number[] = []
    for (let text = 0; text < TEXTS; text += 1) {
      const startedAtMs = performance.now()
      stage.ghl.agentReply({ locationId, contactId, message: `answer ${text}` })
      await stage.whatsapp.waitForMessage(ANA, (message) => message.text === `answer ${text}`, 10_000)
      outbound.push(performance.now() - startedAtMs)
    }
    return [
      { what: 'customer’s phone -> GHL has it, p50', value: percentile(inbound, 0.5), unit: 'ms' },
      {
        what: 'customer’s phone -> GHL has it, p95',
        value: percentile(inbound, 0.95),
        unit: 'ms',
      },
      { what: 'GHL’s webhook -> customer’s phone, p50', value: percentile(outbound, 0.5), unit: 'ms' },
      {
        what: 'GHL’s webhook -> customer’s phone, p95',
        value: percentile(outbound, 0.95),
        unit: 'ms',
      },
      { what: 'calls to GHL per text', value: perText, unit: 'calls', budget: 1 },
      { what: 'calls to GHL per file', value: perFile, unit: 'calls', budget: 2 },
    ]
  },
}
