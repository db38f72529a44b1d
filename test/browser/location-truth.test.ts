/** The location page never shows what is not so, and never leaves its reader in front of nothing. */
import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const NOBODY = '15551239999'
const DESK: Look = { width: 1_180, height: 900 }

describe('the location page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    sessionId = await stage.pair(locationId, OWNER)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(
    look: Look = DESK,
    prepare?: (page: Page) => Promise<unknown>,
    place: string = locationId,
  ) {
    const { page } = await browser.page(look)
    await prepare?.(page)
    await page.goto(stage.customPage(place))
    const app = page.frameLocator('iframe')
    await app.locator('#numbers').waitFor()
    return { page, app }
  }
  const rename = async (name: string): Promise<void> => {
    const path = `/ghl/location/${locationId}/session/${sessionId}`
    expect((await stage.bridge.operator('PATCH', path, { name })).status).toBe(200)
  }
  const verdict = (app: FrameLocator) => app.locator('.verdict').textContent()

  it('lets a failed message go that was discarded: out of the list, and out of the verdict', async () => {
    const contactId = stage.ghl.contacts.add(locationId, { phone: `+${NOBODY}` }).id
    const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: 'Is this your number?' })
    await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
    const { app, page } = await open()
    const needed = app.locator(`section[aria-labelledby=needed] [data-message="${messageId}"]`)
    await needed.getByText('Is this your number?').waitFor()
    await expect.poll(() => verdict(app)).toBe('1 message needs you.')
    expect(await app.locator(`[data-message="${messageId}"]`).count()).toBe(1)
    await browser.keep(page, 'location-failed')
    await needed.getByRole('button', { name: 'Discard' }).click()
    await needed.getByRole('button', { name: 'Yes, discard' }).click()
    await needed.waitFor({ state: 'detached' })
    await app.locator(`[data-message="${messageId}"]`).getByText('Discarded').waitFor()
    await expect.poll(() => verdict(app)).toBe('1 message, and nothing is waiting.')
  })

  it('goes on living when its login was refused, or a proxy had its own idea', async () => {
    let refusals = 0
    const { app } = await open(DESK, (page) =>
      page.route('**/events', async (route) => {
        refusals += 1
        if (refusals === 1) await route.fulfill({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } })
        else if (refusals === 2) await route.fulfill({ status: 404, body: 'nothing here' })
        else await route.continue()
      }),
    )
    await app.locator('.number[data-status=ready]').waitFor({ timeout: 20_000 })
    expect(refusals).toBeGreaterThan(2)
    await rename('Front desk')
    await app.getByRole('heading', { name: 'Front desk' }).waitFor()
  })

  it('says that GoHighLevel must be connected again, and where', async () => {
    const { app, page } = await open(DESK, (fresh) =>
      fresh.route('**/api/ghl/locations?**', async (route) => {
        const answer = await route.fetch()
        const body = (await answer.json()) as { locations: object[] } // our own contract
        const problem = { code: 'GHL_NEEDS_RECONNECT', message: 'x', action: null }
        const reconnectUrl = `${stage.bridge.url}/oauth/install`
        await route.fulfill({
          response: answer,
          json: { ...body, locations: body.locations.map((each) => ({ ...each, problem, reconnectUrl })) },
        })
      }),
    )
    await app.getByText('GoHighLevel no longer accepts our access').waitFor()
    const link = app.getByRole('link', { name: 'Connect the app again' })
    expect(await link.getAttribute('href')).toBe(`${stage.bridge.url}/oauth/install`)
    await browser.keep(page, 'location-reconnect')
  })

  it('tells the hours by the location’s clock, and whose clock it is, also when its messages cannot be read', async () => {
    const until = new Date(Math.ceil((Date.now() + 2 * 3_600_000) / 1_000) * 1_000)
    stage.whatsapp.lockReachOut(OWNER, until)
    const hourIn = (timeZone: string) =>
      until.toLocaleTimeString('en', { timeZone, hour: 'numeric', minute: '2-digit' })
    // One zone for all pages: this Chromium is one process.
    const tokyo = { ...DESK, timezoneId: 'Asia/Tokyo' }
    const unread = (page: Page) => page.route('**/api/messages?**', (route) => route.fulfill({ status: 503 }))
    const far = await open(tokyo, unread)
    const locked = far.app.locator('.number .problem', { hasText: 'start new chats' })
    await locked.waitFor()
    await expect.poll(() => locked.textContent()).toContain(`Until ${hourIn('America/Sao_Paulo')}.`)
    expect(await far.app.locator('.zone').textContent()).toBe(
      'Times by the location’s clock, not yours: America/Sao Paulo (GMT-3)',
    )
    await browser.keep(far.page, 'location-zone')
    stage.whatsapp.lockReachOut(OWNER, undefined)
    const nearby = stage.ghl.addLocation({ name: 'Tokyo Dental', timezone: 'Asia/Tokyo' }).id
    await stage.install(nearby)
    const told = Promise.withResolvers<void>()
    const near = await open(
      tokyo,
      async (page) => {
        page.on('response', (answer) => {
          if (answer.url().includes('/api/ledger/')) told.resolve()
        })
      },
      nearby,
    )
    await told.promise
    await near.app.getByText('No number yet').waitFor()
    expect(await near.app.locator('.zone').count()).toBe(0)
  })

  it('speaks English when the reader’s own words do not come, and says so when nothing comes', async () => {
    const { app } = await open({ ...DESK, locale: 'es-MX' }, (page) =>
      page.route('**/assets/es-*', (route) => route.abort()),
    )
    await app.getByRole('heading', { name: 'Numbers' }).waitFor()
    const { page } = await browser.page(DESK)
    await page.route('**/assets/**', (route) => route.abort())
    await page.goto(`${stage.bridge.url}/app`)
    await page.getByText('This page has not loaded yet.').waitFor()
    expect(await page.getByRole('link', { name: 'Reload' }).count()).toBe(1)
  })

  it('is the operator’s without GoHighLevel, by the key, for the location that the address names', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await browser.page({ width: 360, height: 740, colorScheme })
      await page.goto(`${stage.bridge.url}/app?location=${locationId}`)
      await page.getByText('I run this service').click()
      await page.getByLabel('Operator’s key').fill('wrong')
      await page.getByRole('button', { name: 'Let me in' }).click()
      await page.getByRole('alert').waitFor()
      await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
      await page.getByRole('button', { name: 'Let me in' }).click()
      await page.getByRole('heading', { name: 'Dental Care', level: 1 }).waitFor()
      await page.locator('.number[data-status=ready]').waitFor()
      await page.locator('[data-message]').first().waitFor()
      expect(await fits(page)).toBe(true)
      expect(await barriers(page)).toEqual([])
      await browser.keep(page, `location-alone-${colorScheme}`)
      expect(await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage })')).toBe('{}')
    }
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/app`)
    await page.getByText('I run this service').click()
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Let me in' }).click()
    await page.getByRole('button', { name: 'Dental Care' }).click()
    await page.locator('.number[data-status=ready]').waitFor()
  })

  it('shows its own location whatever location its address names', async () => {
    const other = stage.ghl.addLocation({ name: 'Rival' }).id
    await stage.install(other)
    const { page, app } = await open()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    const elsewhere = JSON.stringify(`${stage.bridge.url}/app?location=${other}`)
    await page.evaluate(`document.querySelector('iframe').src = ${elsewhere}`)
    await waitFor('the other address', () => asked.some((url) => url.includes(`location=${other}`)))
    await app.locator('.number[data-status=ready]').waitFor()
    const api = asked.filter((url) => url.includes('/api/') || url.includes('/ghl/'))
    expect(api.filter((url) => url.includes(other))).toEqual([])
  })

  it('offers to remove a number that was never paired, and says when another has done so', async () => {
    const { app, page } = await open()
    await app.getByRole('button', { name: 'Add a number' }).click()
    await app.getByRole('button', { name: 'Show the code' }).click()
    await app.locator('[data-qr]').waitFor()
    const listed = await stage.bridge.operator('GET', `/ghl/location/${locationId}/session`)
    const { sessions } = (await listed.json()) as { sessions: { id: string; phoneNumber: string | null }[] } // our own contract
    const abandoned = sessions.find(({ phoneNumber }) => phoneNumber === null)?.id
    await page.keyboard.press('Escape')
    const card = app.locator('.number', { hasText: 'New number' })
    await card.getByText('More').click()
    await card.getByRole('button', { name: 'Remove' }).click()
    await app.getByText('It was never connected').waitFor()
    await app.getByRole('button', { name: 'Cancel' }).click()
    await card.getByRole('button', { name: 'Go on with pairing' }).click()
    await app.locator('[data-qr]').waitFor()
    await stage.bridge.operator('DELETE', `/ghl/location/${locationId}/session/${abandoned}`)
    await app.getByText('This number was removed meanwhile.').waitFor()
  })
})
