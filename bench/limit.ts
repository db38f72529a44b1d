/**
 * A backlog against GHL's real limit, through the whole product: how much of the allowance it uses, and whether GHL ever
 * says 429. Takes about two minutes, because the limit's interval is ten seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { OWNER, openClinic } from './clinic.ts'
import type { Measurement } from './measurement.ts'

const CUSTOMERS = 20
const MESSAGES = 1_000
const MAX = 100
const INTERVAL_MS = 10_000

export const limit: Measurement = {
  name: 'limit',
  async run() {
    await using clinic = await openClinic({
      rateLimit: { max: MAX, intervalMs: INTERVAL_MS, perDay: 200_000, window: 'sliding' },
    })
    const { stage, locationId } = clinic
    const customers = Array.from({ length: CUSTOMERS }, (_, n) => `1555200${String(n).padStart(4, '0')}`)
    for (const phone of customers) {
      stage.whatsapp.addAccount({ phone, name: phone })
      await stage.whatsapp.send(phone, { to: OWNER, text: `hello from ${phone}` })
      await stage.ghl.waitForMessage(({ body }) => body === `hello from ${phone}`, {
        locationId,
        what: phone,
      })
    }
    await sleep(1.2 * INTERVAL_MS)
    stage.ghl.forget()

    await Promise.all(
      customers.map(async (phone) => {
        for (let n = 0; n < MESSAGES / CUSTOMERS; n += 1)
          await stage.whatsapp.send(phone, { to: OWNER, text: `${phone} ${n}` })
      }),
    )
    await Promise.all(
      customers.map((phone) => {
        const last = `${phone} ${MESSAGES / CUSTOMERS - 1}`
        return stage.ghl.waitForMessage(({ body }) => body === last, {
          locationId,
          what: last,
          timeoutMs: 2 * (MESSAGES / MAX) * INTERVAL_MS,
        })
      }),
    )
    const calls = stage.ghl.calls()
    const counted = calls.filter(({ status }) => status !== 429)
    const times = counted.map(({ at }) => at.getTime())
    const tookMs = Math.max(...times) - Math.min(...times)
    // The last window's requests may all come at its beginning.
    const leastMs = (Math.ceil(counted.length / MAX) - 1) * INTERVAL_MS
    return [
      {
        what: 'share of GHL’s limit that a backlog uses',
        value: (100 * leastMs) / tookMs,
        unit: '%',
        atLeast: 95,
      },
      {
        what: 'answers 429 to a backlog of 1,000 messages',
        value: calls.length - counted.length,
        unit: 'calls',
        budget: 0,
      },
      {
        what: 'calls to GHL per text of a backlog',
        value: counted.length / MESSAGES,
        unit: 'calls',
        budget: 1,
      },
    ]
  },
}
