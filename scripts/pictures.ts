/**
 * `npm run pictures`: takes the README's pictures of the location page, as it is now, with both sandboxes and the real server
 * behind it. No QR is on them: a code in a picture invites people to scan it.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import sharp from 'sharp'
import { Stage } from '../sandbox/stage.ts'

const FOLDER = new URL('../docs/pictures/', import.meta.url)
const RECEPTION = '15550009999'
const DOCTOR = '15550008888'
const CUSTOMERS = { Ana: '15551230001', Bruno: '15551230002', Carla: '15551230003' } as const

/** A morning in a dental practice: three customers, answers at three stages, one number unlinked at noon. */
async function play(stage: Stage): Promise<string> {
  const { whatsapp, ghl, bridge } = stage
  whatsapp.addAccount({ phone: RECEPTION, name: 'Reception' })
  whatsapp.addAccount({ phone: DOCTOR, name: 'Dr. Silva' })
  for (const [name, phone] of Object.entries(CUSTOMERS)) whatsapp.addAccount({ phone, name })
  const locationId = ghl.addLocation({ name: 'Dental Care' }).id
  await bridge.start()
  await stage.install(locationId)
  await stage.pair(locationId, RECEPTION)
  await stage.pair(locationId, DOCTOR)
  for (const phone of Object.values(CUSTOMERS)) {
    for (const text of ['Hi!', 'Are you open on Saturday?']) {
      const id = await whatsapp.send(phone, { to: RECEPTION, text })
      await ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    }
  }
  const contactOf = (phone: string): string =>
    ghl.contacts.list(locationId).find(({ text }) => text.phone === `+${phone}`)?.id ?? ''
  const answer = (phone: string) =>
    ghl.agentReply({ locationId, contactId: contactOf(phone), message: 'Yes, from nine' }).messageId
  const toAna = answer(CUSTOMERS.Ana)
  const arrived = await whatsapp.waitForMessage(CUSTOMERS.Ana, ({ text }) => text === 'Yes, from nine')
  await whatsapp.phone(CUSTOMERS.Ana).markRead(RECEPTION, [arrived.id])
  await ghl.waitForStatus(toAna, 'read', 20_000)
  await ghl.waitForStatus(answer(CUSTOMERS.Bruno), 'delivered', 20_000)
  whatsapp.unlink(DOCTOR)
  return locationId
}

async function take(stage: Stage, locationId: string): Promise<void> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args,
    headless: true,
  })
  const looks = [
    { name: 'location', viewport: { width: 1_180, height: 1_060 }, colorScheme: 'light' },
    { name: 'location-phone', viewport: { width: 390, height: 1_120 }, colorScheme: 'dark' },
  ] as const
  await mkdir(FOLDER, { recursive: true })
  for (const { name, ...look } of looks) {
    const page = await (await browser.newContext({ locale: 'en-US', ...look })).newPage()
    await page.goto(stage.customPage(locationId))
    const app = page.frameLocator('iframe')
    await app.getByText('This number was unlinked.').waitFor()
    await app.locator('[data-message]').filter({ hasText: 'Delivered' }).first().waitFor()
    await app.locator('[data-message]').filter({ hasText: 'Read' }).first().waitFor()
    const picture = await sharp(await page.screenshot())
      .webp({ quality: 80 })
      .toBuffer()
    await writeFile(new URL(`${name}.webp`, FOLDER), picture)
    process.stdout.write(`docs/pictures/${name}.webp  ${Math.round(picture.length / 1_024)} kB\n`)
  }
  await browser.close()
}

const stage = await Stage.set()
try {
  await take(stage, await play(stage))
} finally {
  await stage.strike()
}
