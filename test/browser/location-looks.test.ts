/** Every state in which the pages of a location are met, on a phone and on a desk, light and dark: nothing is cut off or kept from anybody. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf, deliverLate } from '../support/late-delivery.ts'

const OWNER = '15550009999'
const SECOND = '15550008888'
const STRANGER = '15550007777'
const ANA = '15551230001'
const BRUNO = '5511987654321'
const NOBODY = '15551239999'
const PHONE_SIZED = { width: 360, height: 740 }
const DESK = { width: 1_280, height: 900 }

describe('in every look', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: SECOND, name: 'Dr. Maria Fernanda de Albuquerque' })
    stage.whatsapp.addAccount({ phone: STRANGER, name: 'Somebody else' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    stage.whatsapp.addAccount({ phone: BRUNO, name: 'Bruno' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    browser = await openBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  /** One page in all looks, each kept as a picture. */
  async function look(page: Page, name: string, again = async () => {}): Promise<void> {
    for (const [size, viewport] of Object.entries({ phone: PHONE_SIZED, desk: DESK })) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(viewport)
        await page.emulateMedia({ colorScheme })
        await again()
        expect([name, size, colorScheme, await fits(page)]).toEqual([name, size, colorScheme, true])
        expect([name, size, colorScheme, await barriers(page)]).toEqual([name, size, colorScheme, []])
        await browser.keep(page, `look-${name}-${size}-${colorScheme}`)
      }
    }
  }
  async function locationPage(): Promise<Page> {
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/app?location=${locationId}`)
    await page.getByText('I run this service').click()
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Let me in' }).click()
    await page.locator('#numbers').waitFor()
    return page
  }
  async function pairPage(wish: Record<string, string> = {}): Promise<Page> {
    const id = await stage.createSession(locationId, wish)
    const path = `/ghl/location/${locationId}/session/${id}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const { page } = await browser.page(PHONE_SIZED)
    await page.goto(((await made.json()) as { url: string }).url) // our own contract
    return page
  }
  const qrOn = async (page: Page) => (await page.locator('[data-qr]').getAttribute('data-qr')) ?? ''

  it('the page of a location that has nothing yet, and its first pairing', async () => {
    const page = await locationPage()
    await page.getByText('No number yet').waitFor()
    await look(page, 'empty')
    await page.getByRole('button', { name: 'Add a number' }).click()
    await look(page, 'add')
    await page.getByRole('button', { name: 'Show the code' }).click()
    await page.locator('[data-qr]').waitFor()
    await look(page, 'qr')
    await stage.whatsapp.scan(OWNER, await qrOn(page))
    await page.getByText('is linked').waitFor()
    await look(page, 'linked')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.locator('.number[data-status=ready]').waitFor()
    await look(page, 'first-number')
    await page.goto('about:blank')
    const listed = await stage.bridge.operator('GET', `/ghl/location/${locationId}/session`)
    sessionId = ((await listed.json()) as { sessions: { id: string }[] }).sessions[0]?.id ?? '' // our own contract
  }, 120_000)

  it('a day that goes well, its charts and settings', async () => {
    await stage.pair(locationId, SECOND)
    for (const [from, to, text] of [
      [ANA, OWNER, 'Hi! Are you open on Saturday? My tooth has been hurting since yesterday evening.'],
      [BRUNO, OWNER, 'Olá'],
      [
        BRUNO,
        SECOND,
        'https://example.com/a/very/long/address/without/any/space/in/it/that/would/be/cut/off',
      ],
    ] as const) {
      const id = await stage.whatsapp.send(from, { to, text })
      await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    }
    const contactId = contactOf(stage, locationId, ANA)
    const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: 'Yes, from nine' })
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    const page = await locationPage()
    await page.locator(`[data-message="${messageId}"]`).getByText('Delivered').waitFor()
    await page.locator('.number', { hasText: 'Maria' }).getByText('More').click()
    await look(page, 'well')
    const charts = page.locator('details.charts > summary')
    await look(page, 'charts', async () => {
      if (
        await page
          .locator('details.charts')
          .getAttribute('open')
          .then((open) => open !== null)
      )
        await charts.click()
      await page.locator('.chart').waitFor({ state: 'detached' })
      await charts.click()
      await page.locator('.chart canvas').waitFor()
    })
    await charts.click()
    await page.getByRole('heading', { name: 'Settings' }).click()
    await page.getByLabel('Hold messages older than (hours)').fill('200')
    await page.getByText('A number of hours up to 168').waitFor()
    await look(page, 'settings')
    await page.goto('about:blank')
  }, 120_000)

  it('what needs its owner: dead letters, held messages, a number that was unlinked', async () => {
    const contactId = contactOf(stage, locationId, ANA)
    for (const message of ['Written this morning', 'And this, too'])
      await deliverLate(stage, { locationId, contactId, message })
    const nobody = stage.ghl.contacts.add(locationId, { phone: `+${NOBODY}` }).id
    const dead = stage.ghl.agentReply({ locationId, contactId: nobody, message: 'Is this you?' }).messageId
    await stage.ghl.waitForStatus(dead, 'failed', 20_000)
    stage.whatsapp.unlink(OWNER)
    await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'logged_out')
    const page = await locationPage()
    await page.locator(`section[aria-labelledby=needed] [data-message="${dead}"]`).waitFor()
    await page.getByText('This number was unlinked.').waitFor()
    await look(page, 'trouble')
    await page.getByRole('button', { name: 'Discard all 3' }).click()
    await page.getByRole('dialog').waitFor()
    await look(page, 'discard-all')
    await page.goto('about:blank')
  }, 120_000)

  it('the pairing link: by QR, by code, with a wrong phone, and when it is over', async () => {
    const page = await pairPage({ expectedPhone: `+${BRUNO}` })
    await page.locator('[data-qr]').waitFor()
    await look(page, 'pair-qr')
    await page.getByText('Can’t scan? Use a code').click()
    await page.getByRole('button', { name: /^Get a code/ }).click()
    await page.locator('output.code').waitFor()
    await look(page, 'pair-code')
    await page.getByRole('button', { name: 'Scan a QR code instead' }).click()
    await page.locator('[data-qr]').waitFor()
    await stage.whatsapp.scan(STRANGER, await qrOn(page))
    await page.getByText('Another number was scanned').waitFor()
    await look(page, 'pair-wrong')
    await page.goto(`${stage.bridge.url}/pair/${'A'.repeat(32)}`)
    await page.getByRole('heading', { name: 'This link has expired' }).waitFor()
    await look(page, 'pair-expired')
  }, 120_000)
})
