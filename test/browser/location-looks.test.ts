/** Every state in which the pages of a location are met, on a phone and on a desk, light and dark: nothing is cut off or kept from anybody. */
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf, deliverLate } from '../support/late-delivery.ts'

const OWNER = '15550009999'
const SECOND = '15550008888'
const STRANGER = '15550007777'
const ANA = '15551230001'
const BRUNO = '5511987654321'
const NOBODY = '15551239999'
const PHONE_SIZED = { width: 360, height: 740 }
const PHONE = { ...PHONE_SIZED, hasTouch: true, isMobile: true }
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
  async function locationPage(device: Look = DESK): Promise<Page> {
    const { page } = await browser.page(device)
    await page.goto(`${stage.bridge.url}/app?location=${locationId}`)
    await page.getByText('I run this service').click()
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Let me in' }).click()
    await page.locator('#numbers').waitFor()
    return page
  }
  async function pairPage(wish: Record<string, string> = {}, device: Look = PHONE_SIZED): Promise<Page> {
    const id = await stage.createSession(locationId, wish)
    const path = `/ghl/location/${locationId}/session/${id}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const { page } = await browser.page(device)
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

  /** Held upright, light and dark: a desk has no fingers. */
  async function lookOnPhone(page: Page, name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      // A phone's browser makes room for what is too wide, so that it fits whatever it is.
      expect([name, await page.evaluate('innerWidth'), await fits(page)]).toEqual([name, PHONE.width, true])
      expect([name, colorScheme, await barriers(page)]).toEqual([name, colorScheme, []])
      await browser.keep(page, `look-${name}-${colorScheme}`)
    }
  }
  const endOf = async (part: Locator): Promise<number> => {
    const box = await part.boundingBox()
    return box === null ? Number.POSITIVE_INFINITY : box.y + box.height
  }

  it('the pairing link on the very phone: first what can be done there, without scrolling', async () => {
    const page = await pairPage({}, PHONE)
    await page.getByRole('heading', { name: 'Connect the WhatsApp on this phone' }).waitFor()
    const get = page.getByRole('button', { name: 'Get a code' })
    expect(await endOf(get)).toBeLessThan(PHONE.height)
    expect(await page.locator('[data-qr]').isVisible()).toBe(false)
    await lookOnPhone(page, 'pair-here')
    // Another phone has WhatsApp.
    await page.getByText('Is WhatsApp on another phone?').tap()
    await page.locator('[data-qr]').waitFor()
    await page.getByText('Point the camera at this code.').waitFor()
    await lookOnPhone(page, 'pair-here-qr')
    await page.getByLabel('Country').selectOption('BR')
    await page.getByLabel('The number of that WhatsApp').fill('11 98765-4321')
    await get.tap()
    await page.getByRole('heading', { name: 'Type this code on your phone' }).waitFor()
    const code = (await page.locator('output.code').textContent()) ?? ''
    await lookOnPhone(page, 'pair-here-code')
    await stage.whatsapp.enterPairingCode(BRUNO, code.replace('-', ''))
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
    // Of a number that is known nothing is asked.
    const again = await pairPage({ expectedPhone: `+${STRANGER}` }, PHONE)
    expect(await endOf(again.getByRole('button', { name: 'Get a code for +1 555 000 7777' }))).toBeLessThan(
      PHONE.height,
    )
    expect(await again.getByRole('textbox').count()).toBe(0)
  }, 120_000)

  it('a number that is added on the phone itself: by a code, and by a QR for another phone', async () => {
    const page = await locationPage(PHONE)
    await page.getByRole('button', { name: 'Add a number' }).tap()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('heading', { name: 'Connect the WhatsApp on this phone' }).waitFor()
    expect(await dialog.getByRole('button', { name: 'Show the code' }).isVisible()).toBe(false)
    await lookOnPhone(page, 'add-here')
    await dialog.getByText('Is WhatsApp on another phone?').tap()
    await dialog.getByRole('button', { name: 'Show the code' }).waitFor()
    await dialog.getByLabel('Country').first().selectOption('US')
    await dialog.getByLabel('The number of that WhatsApp').fill('555 000-7777')
    await dialog.getByRole('button', { name: 'Get a code' }).tap()
    const code = (await dialog.locator('output.code').textContent()) ?? ''
    await dialog.getByText('This is for +1 555 000 7777').waitFor()
    await lookOnPhone(page, 'add-here-code')
    await stage.whatsapp.enterPairingCode(STRANGER, code.replace('-', ''))
    await dialog.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
  }, 120_000)
})
