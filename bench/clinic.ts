/** One location with one number and one customer: the server in a process of its own, both sandboxes in this one. */
import { Stage, type StageOptions } from '../sandbox/stage.ts'

export const OWNER = '15550009999'
export const ANA = '15551230001'

export interface Clinic extends AsyncDisposable {
  readonly stage: Stage
  readonly locationId: string
  readonly contactId: string
  /** Writes a text as Ana and waits until GHL has it. Milliseconds. */
  fromAna(text: string): Promise<number>
}

export async function openClinic(ghl: StageOptions['ghl'] = {}): Promise<Clinic> {
  const stage = await Stage.set({ ghl: { statusEarlyMs: 0, ...ghl }, env: { LOG_LEVEL: 'warn' } })
  stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
  stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
  const locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
  const contactId = stage.ghl.contacts.add(locationId, { phone: `+${ANA}` }).id
  await stage.bridge.start()
  await stage.install(locationId)
  await stage.pair(locationId, OWNER)
  return {
    stage,
    locationId,
    contactId,
    async fromAna(text) {
      const sentAtMs = performance.now()
      const filed = stage.ghl.waitForMessage(({ body }) => body === text, { locationId, what: text })
      await stage.whatsapp.send(ANA, { to: OWNER, text })
      await filed
      return performance.now() - sentAtMs
    },
    [Symbol.asyncDispose]: () => stage.strike(),
  }
}
