import { afterEach, beforeEach, expect, it } from 'vitest'
import { startWhatsAppSandbox, type WhatsAppSandbox } from '../../sandbox/whatsapp/index.ts'

const OWNER = '15551230001'
const CUSTOMERS = Array.from({ length: 12 }, (_, index) => String(15551231000 + index))
const ROUNDS = 8

let sandbox: WhatsAppSandbox

beforeEach(async () => {
  sandbox = await startWhatsAppSandbox()
  sandbox.addAccount({ phone: OWNER, name: 'Acme Garden Centre' })
  for (const phone of CUSTOMERS) sandbox.addAccount({ phone, name: `Customer ${phone.slice(-2)}` })
})

afterEach(async () => {
  await sandbox.stop()
})

it('keeps every ratchet step when many customers and one owner write at the same time', async () => {
  const sends: Promise<string>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const customer of CUSTOMERS) {
      sends.push(sandbox.send(customer, { to: OWNER, text: `${customer} asks ${round}` }))
      sends.push(sandbox.send(OWNER, { to: customer, text: `${customer} hears ${round}` }))
    }
    // Some rounds meet deliveries half way, others run on top of each other.
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(sends)
  const numbers = Array.from({ length: ROUNDS }, (_, round) => round)
  for (const customer of CUSTOMERS) {
    await sandbox.waitForMessage(customer, ({ text }) => text === `${customer} hears ${ROUNDS - 1}`)
    await sandbox.waitForMessage(OWNER, ({ text }) => text === `${customer} asks ${ROUNDS - 1}`)
    const heard = sandbox.messages(customer).filter(({ fromMe }) => !fromMe)
    expect(heard.map(({ text }) => text)).toEqual(numbers.map((round) => `${customer} hears ${round}`))
    const asked = sandbox.messages(OWNER).filter(({ fromMe, chat }) => !fromMe && chat === customer)
    expect(asked.map(({ text }) => text)).toEqual(numbers.map((round) => `${customer} asks ${round}`))
  }
  expect(sandbox.stats()).toMatchObject({ retriesRequested: 0, unknownStanzas: {} })
})
